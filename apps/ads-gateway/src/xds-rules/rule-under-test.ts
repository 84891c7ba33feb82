import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { until } from "@fairlead/testing-basics";
import {
  VariantClient,
  type VariantClientOptions,
  type WireResponse,
  type XdsService,
  type XdsVariant,
} from "@fairlead/testing-xds";
import { GatewayUnderTest, keyOf, type ResourceForTest } from "../gateway-under-test.ts";

export const { cluster, endpoint, listener, route } = typeUrls;

/** Type URL to resources, written `name@version`; `name@version?` is on demand, `-name` is removed. */
export type Specs = Readonly<Record<string, readonly string[]>>;

/** The bodies of these tests are text: what a response carries can be read in both variants. */
function resourceOf(typeUrl: string, spec: string): ResourceForTest {
  const onDemand = spec.endsWith("?");
  const text = onDemand ? spec.slice(0, -1) : spec;
  const [name = "", version = ""] = text.split("@");
  return { typeUrl, name, version, onDemand, body: Buffer.from(text) };
}

/** `name@version` of what the response carries, sorted. */
export function contents(response: WireResponse): string[] {
  return response.resources.map((resource) => Buffer.from(resource.body).toString()).sort();
}

export type GatewayOverrides = ConstructorParameters<typeof GatewayUnderTest>[0];

export interface WorldOptions {
  readonly variant: XdsVariant;
  readonly service: XdsService;
  /** What the mesh has at first. */
  readonly serving: Specs;
  readonly gateway: GatewayOverrides;
}

/** A gateway and its clients, of one variant and service. */
export class RuleWorld {
  readonly #options: WorldOptions;
  readonly #others: RuleWorld[] = [];
  readonly mesh: GatewayUnderTest;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.mesh = new GatewayUnderTest(options.gateway);
  }

  get variant(): XdsVariant {
    return this.#options.variant;
  }
  get service(): XdsService {
    return this.#options.service;
  }

  async start(): Promise<void> {
    await this.mesh.start();
    await this.commit(this.#options.serving);
    await this.mesh.statusWhere((status) => status.revision >= 1n);
  }

  /** A second gateway that has what this one had at first. */
  async another(): Promise<RuleWorld> {
    const other = new RuleWorld(this.#options);
    this.#others.push(other);
    await other.start();
    return other;
  }

  async stop(): Promise<void> {
    for (const other of this.#others) await other.stop();
    await this.mesh.stop();
  }

  client(options: Partial<VariantClientOptions> = {}): VariantClient {
    const { variant, service, mesh } = this;
    return mesh.closeOnStop(new VariantClient({ address: mesh.address, variant, service, ...options }));
  }

  /** One commit. */
  async commit(specs: Specs): Promise<number> {
    const all = Object.entries(specs).flatMap(([typeUrl, list]) => list.map((spec) => ({ typeUrl, spec })));
    const gone = all.filter(({ spec }) => spec.startsWith("-"));
    return await this.mesh.commit({
      resources: all.filter(({ spec }) => !spec.startsWith("-")).map(({ typeUrl, spec }) => resourceOf(typeUrl, spec)),
      removed: gone.map(({ typeUrl, spec }) => keyOf(resourceOf(typeUrl, spec.slice(1)))),
    });
  }

  /** Resolves when the last commit is in force and nobody has something to ACK. */
  async settled(): Promise<void> {
    const { mesh } = this;
    await mesh.statusWhere((status) => Number(status.revision) === mesh.revision && status.pending.length === 0);
  }

  /** What /debug says of a type on the newest stream that has it. */
  async typeStatus(typeUrl: string) {
    const { proxies } = await this.mesh.syncz();
    return proxies.flatMap((proxy) => proxy.types).findLast((type) => type.type === typeUrl);
  }

  /** Resolves when the proxy holds so many of the type. */
  async countIs(typeUrl: string, count: number): Promise<void> {
    await until(`${count} of ${typeUrl}`, async () => (await this.typeStatus(typeUrl))?.resources === count);
  }

  async stateIs(typeUrl: string, state: string): Promise<void> {
    await until(`${typeUrl} is ${state}`, async () => (await this.typeStatus(typeUrl))?.state === state);
  }
}

export interface RuleOptions {
  /** @default both */
  readonly variants?: readonly XdsVariant[];
  /** @default both */
  readonly services?: readonly XdsService[];
  /** What the mesh has at first. */
  readonly serving?: Specs;
  readonly gateway?: GatewayOverrides;
}

const variantNames: Readonly<Record<XdsVariant, string>> = { sotw: "SotW", delta: "delta" };
const serviceNames: Readonly<Record<XdsService, string>> = { ads: "ADS", single: "single type" };

export const sotwOnly: RuleOptions = { variants: ["sotw"] };
export const deltaOnly: RuleOptions = { variants: ["delta"] };
export const adsOnly: RuleOptions = { services: ["ads"] };

/** One test for each variant and service that the rule concerns; `npm run conformance:xds` reads the names. */
export function rule(
  number: number,
  what: string,
  { variants = ["sotw", "delta"], services = ["ads", "single"], serving = {}, gateway = {} }: RuleOptions,
  run: (world: RuleWorld) => Promise<void>,
): void {
  for (const variant of variants) {
    for (const service of services) {
      const name = `rule ${String(number).padStart(2, "0")}: ${what} [${variantNames[variant]}, ${serviceNames[service]}]`;
      test(name, async (t) => {
        const world = new RuleWorld({ variant, service, serving, gateway });
        t.after(() => world.stop());
        await world.start();
        await run(world);
      });
    }
  }
}
