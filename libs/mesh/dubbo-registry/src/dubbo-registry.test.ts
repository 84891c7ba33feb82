import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  decodeJavaUrl,
  encodeJavaUrl,
  type ExportedProvider,
  exportedApplications,
  metadataServiceOf,
  formatDubboUrl,
  originParameter,
  parseApplicationInstance,
  parseApplicationMetadata,
  parseDubboUrl,
  parseProvider,
  providersOf,
  providerUrl,
  RegistryPaths,
} from "./index.ts";

const greeter =
  "dubbo://10.0.0.5:20880/org.x.Greeter?anyhost=true&application=demo&dubbo=2.0.2&dynamic=true&group=g1&interface=org.x.Greeter&methods=sayHi,sayBye&timestamp=1700000000000&version=1.0.0&weight=50";

test("names are encoded as Java does", () => {
  // By java.net.URLEncoder of OpenJDK 17.
  assert.equal(
    encodeJavaUrl("dubbo://h:1/a b?x=*-_.~!'()é&y=%2F"),
    "dubbo%3A%2F%2Fh%3A1%2Fa+b%3Fx%3D*-_.%7E%21%27%28%29%C3%A9%26y%3D%252F",
  );
});

test("any text survives encoding and decoding", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(decodeJavaUrl(encodeJavaUrl(text)), text);
    }),
  );
});

test("a provider's URL tells what it serves, where, and for whom", () => {
  const provider = parseProvider(greeter, "org.x.Greeter");
  assert(provider !== undefined);
  const { parameters, ...facts } = provider;
  assert.deepEqual(facts, {
    interface: "org.x.Greeter",
    protocol: "dubbo",
    address: "10.0.0.5",
    port: 20880,
    version: "1.0.0",
    group: "g1",
    methods: ["sayHi", "sayBye"],
    application: "demo",
    weight: 50,
    enabled: true,
  });
  assert.equal(parameters.get("timestamp"), "1700000000000");
});

test("providers that are to be left alone, of other protocols, and what is no provider", () => {
  const url = (text: string) => parseProvider(text, "org.x.Greeter");
  assert.equal(url("dubbo://h:1/a?enabled=false")?.enabled, false);
  assert.equal(url("dubbo://h:1/a?disabled=true")?.enabled, false);
  assert.equal(url("dubbo://h:1/a?weight=0")?.weight, 0);
  assert.equal(url("dubbo://h:1/a?weight=-5")?.weight, 100);
  assert.equal(url("dubbo://h:1/a?version=0.0.0")?.version, "");
  assert.equal(url("tri://[fe80::1]:50051/a")?.protocol, "grpc");
  assert.equal(url("tri://[fe80::1]:50051/a")?.address, "fe80::1");
  assert.equal(url("dubbo://h:1")?.interface, "org.x.Greeter");
  for (const text of [
    "injvm://h:1/a",
    "empty://h:1/a",
    "consumer://h/a",
    "dubbo://h/a",
    "dubbo://0.0.0.0:1/a",
    "x",
    "",
    "dubbo://h:99999/a",
  ]) {
    assert.equal(url(text), undefined, text);
  }
});

test("no name of a node, whatever it is, is more than no provider", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((text) => `dubbo://${text}`),
      ),
      (text) => {
        const url = parseDubboUrl(text);
        if (url !== undefined) assert.deepEqual(parseDubboUrl(formatDubboUrl(url))?.host, url.host);
        parseProvider(text, "a");
      },
    ),
    { numRuns: 1000 },
  );
});

test("what the mesh writes it can read, and knows for its own", () => {
  const exported: ExportedProvider = {
    interface: "org.x.Greeter",
    protocol: "dubbo",
    address: "fe80::1",
    port: 15006,
    version: "1.0.0",
    group: "blue",
    methods: ["sayHi"],
    application: "mesh-demo",
    weight: 100,
    startedMs: 1_700_000_000_000,
    origin: "mesh-a",
  };
  const provider = parseProvider(providerUrl(exported), "org.x.Greeter");
  assert.equal(provider?.parameters.get(originParameter), "mesh-a");
  for (const field of [
    "interface",
    "protocol",
    "address",
    "port",
    "version",
    "group",
    "methods",
    "application",
    "weight",
  ] as const) {
    assert.deepEqual(provider[field], exported[field]);
  }
});

test("paths are made and read back; what else is in the tree is not taken for interfaces", () => {
  const paths = new RegistryPaths("/shop/dubbo/");
  const node = paths.node("org.x.Greeter$Inner", "providers", greeter);
  assert.equal(node, `/shop/dubbo/org.x.Greeter%24Inner/providers/${encodeJavaUrl(greeter)}`);
  assert.deepEqual(paths.placeOf(node), { interface: "org.x.Greeter$Inner", category: "providers", url: greeter });
  assert.deepEqual(paths.placeOf("/shop/dubbo/a/routers"), { interface: "a", category: "routers", url: undefined });
  for (const path of [
    "/dubbo/a/providers",
    "/shop/dubbo/a",
    "/shop/dubbo/metadata/a/providers",
    "/shop/dubbo/a/other/x",
    "/shop/dubbo/a/providers/x/y",
  ]) {
    assert.equal(paths.placeOf(path), undefined, path);
  }
  assert.equal(paths.interfaceOf("mapping"), undefined);
});

/** As Dubbo 3.3 with Curator 5 writes it. */
const javaInstance = `{"name":"demo-provider","id":"10.0.0.5:20880","address":"10.0.0.5","port":20880,"sslPort":null,"payload":{"@class":"org.apache.dubbo.registry.zookeeper.ZookeeperInstance","id":"10.0.0.5:20880","name":"demo-provider","metadata":{"dubbo.endpoints":"[{\\"port\\":20880,\\"protocol\\":\\"dubbo\\"},{\\"port\\":50051,\\"protocol\\":\\"tri\\"}]","dubbo.metadata.revision":"abc","dubbo.metadata.storage-type":"remote","dubbo.tag":"gray"}},"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null}`;
const javaMetadata = `{"app":"demo-provider","revision":"abc","services":{"g1/org.x.Greeter:1.0.0:dubbo":{"name":"org.x.Greeter","group":"g1","version":"1.0.0","protocol":"dubbo","port":20880,"path":"org.x.Greeter","params":{"methods":"sayHi","timeout":"3000"}},"org.x.Greeter:tri":{"name":"org.x.Greeter","protocol":"tri","path":"org.x.Greeter","params":{}}}}`;

test("an application's instance and its metadata make its providers", () => {
  const instance = parseApplicationInstance(javaInstance);
  const metadata = parseApplicationMetadata(javaMetadata);
  assert(instance !== undefined && metadata !== undefined);
  assert.deepEqual([instance.revision, instance.storage, instance.enabled], ["abc", "remote", true]);
  const [dubbo, triple] = providersOf(instance, metadata);
  assert.deepEqual([dubbo?.version, dubbo?.group, dubbo?.port, dubbo?.methods], ["1.0.0", "g1", 20880, ["sayHi"]]);
  assert.equal(dubbo?.parameters.get("dubbo.tag"), "gray");
  assert.deepEqual([triple?.protocol, triple?.port, triple?.version], ["grpc", 50051, ""]);
});

test("another framework's instance, a revision of nothing, and broken JSON", () => {
  assert.equal(
    parseApplicationInstance(javaInstance.replace("org.apache.dubbo.registry", "org.springframework.cloud")),
    undefined,
  );
  assert.equal(parseApplicationInstance(javaInstance.replace('"abc"', '"0"'))?.revision, undefined);
  assert.equal(parseApplicationInstance(javaInstance.slice(0, -1)), undefined);
  assert.equal(parseApplicationMetadata("[]"), undefined);
});

test("what the mesh exports is read back as its providers, under a revision that goes with the content", () => {
  const exported = (name: string, version: string) =>
    ({ interface: name, protocol: "dubbo", address: "10.0.0.9", port: 15006, version, group: "g", methods: ["a"], application: "mesh-demo", weight: 100, startedMs: 0, origin: "mesh-a", tag: "gray" }) as const; // prettier-ignore
  const [application, ...others] = exportedApplications([exported("org.x.B", "1.0.0"), exported("org.x.A", "")]);
  assert(application !== undefined && others.length === 0);
  const instance = parseApplicationInstance(application.instance);
  const metadata = parseApplicationMetadata(application.metadata);
  assert(instance !== undefined && metadata !== undefined);
  assert.deepEqual(
    [instance.application, instance.revision, instance.storage],
    ["mesh-demo", metadata.revision, "remote"],
  );
  assert.equal(instance.metadata["mesh.origin"], "mesh-a");
  assert.deepEqual(Object.keys(metadata.services), ["g/org.x.A:dubbo", "g/org.x.B:1.0.0:dubbo"]);
  const [a] = providersOf(instance, metadata);
  assert.deepEqual([a?.interface, a?.port, a?.version, a?.methods, a?.parameters.get("dubbo.tag")], ["org.x.A", 15006, "", ["a"], "gray"]); // prettier-ignore
  const again = exportedApplications([exported("org.x.A", ""), exported("org.x.B", "1.0.0")]);
  assert.deepEqual(again[0]?.revision, application.revision);
  assert.notEqual(exportedApplications([exported("org.x.A", "2")])[0]?.revision, application.revision);
});

test("where an instance is asked for its metadata, as Dubbo 3 and older ones say it", () => {
  const at = (params: object) => {
    const text = JSON.stringify(JSON.stringify(params)).slice(1, -1);
    const data = javaInstance.replace('"dubbo.tag"', `"dubbo.metadata-service.url-params":"${text}","dubbo.tag"`);
    return metadataServiceOf(parseApplicationInstance(data)!);
  };
  const expected = { address: "10.0.0.5", port: 20881, protocol: "dubbo", version: "1.0.0" };
  assert.deepEqual(at({ port: "20881", protocol: "dubbo", version: "1.0.0", side: "provider" }), expected);
  assert.deepEqual(at({ dubbo: { port: "20881", version: "1.0.0" } }), expected);
  assert.equal(at({}), undefined);
});
