/**
 * `node sofa-peer.ts FOLDER server|client bolt|dubbo PORT`: sofa-rpc-node, as an application uses it, from the packages in that folder.
 * The server prints `ready`; the client prints what it was answered, as JSON.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

type Value = { readonly $class: string; readonly $: unknown } | string | number;

interface Sofa {
  readonly server: { readonly RpcServer: new (options: object) => Server };
  readonly client: { readonly RpcClient: new (options: object) => Client };
}
interface Server {
  addService(service: object, methods: object): void;
  start(): Promise<void>;
}
interface Client {
  createConsumer(options: object): {
    ready(): Promise<void>;
    invoke(method: string, args: readonly Value[], options?: object): Promise<unknown>;
  };
}

const [folder = "", role, name, port] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const sofa = require("sofa-rpc-node") as Sofa;
const quiet = () => undefined;
const logger = { info: quiet, warn: quiet, error: console.error, debug: quiet, child: () => logger, write: quiet };
const protocol = require(name === "bolt" ? "sofa-bolt-node" : "dubbo-remoting") as object;
const interfaceName = "org.x.Greeter";

if (role === "server") {
  const server = new sofa.server.RpcServer({ logger, port: Number(port), protocol });
  server.addService(
    { interfaceName, version: "1.0.0" },
    {
      async greet(who: string) {
        return `hello ${who}`;
      },
      async plus(a: number, b: number) {
        return a + b;
      },
      async fail() {
        throw new Error("as asked");
      },
    },
  );
  await server.start();
  process.stdout.write("ready\n");
} else {
  const client = new sofa.client.RpcClient({ logger, protocol });
  const consumer = client.createConsumer({
    interfaceName,
    version: "1.0.0",
    serverHost: `${name}://127.0.0.1:${port}`,
  });
  await consumer.ready();
  const int = (value: number) => ({ $class: "int", $: value });
  const text = (value: string) => ({ $class: "java.lang.String", $: value });
  const failed = consumer.invoke("fail", []).then(
    () => "no failure",
    (error: Error) => error.message,
  );
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => consumer.invoke("plus", [int(i), int(1)])));
  process.stdout.write(
    JSON.stringify({
      greet: await consumer.invoke("greet", [text("mesh")]),
      plus: many.every((sum, i) => sum === i + 1),
      fail: await failed,
    }),
  );
  process.exit(0);
}
