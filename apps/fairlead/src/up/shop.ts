import type { LocalMesh } from "./local-mesh.ts";
import type { MeshApp } from "./mesh-app.ts";
import { OutboundCaller } from "./outbound-caller.ts";
import type { SidecarPorts } from "./ports.ts";
import { eventually } from "./readiness.ts";

const pageDeadlineMs = 20_000;

/** Whoever sits at the terminal: its sidecar has the usual ports, subscribes to nothing, and so sees every service. */
export const visitorName = "visitor";

interface ShopInstance {
  readonly name: string;
  readonly app: string;
  readonly sample: { readonly service: string; readonly version: string };
}

const instance = (service: string, version: string, name = service): ShopInstance => ({
  name,
  app: service,
  sample: { service, version },
});

/** The shop as it begins; `--check` adds reviews-v2 while calls flow. */
export const shopWithoutSecondReviews: readonly ShopInstance[] = [
  instance("catalog", "v1"),
  instance("reviews", "v1", "reviews-v1"),
  instance("orders", "v1"),
  instance("stock", "v1"),
  instance("storefront", "v1"),
];
/** The service that is registered only in ZooKeeper, where one is installed. */
const prices = instance("prices", "v1");
export const wholeShop: readonly ShopInstance[] = [
  ...shopWithoutSecondReviews,
  instance("reviews", "v2", "reviews-v2"),
];

/** What is registered only in ZooKeeper is ready before the mesh has read of it. */
async function untilPageIsWhole(visitor: MeshApp): Promise<void> {
  const caller = new OutboundCaller(visitor.ports.outbound);
  let last = "";
  try {
    await eventually(
      "the shop's page",
      async () => {
        const { status, body } = await caller.get("shop.Storefront", "/");
        last = `${status} ${body.slice(0, 200)}`;
        return status === 200 || undefined;
      },
      pageDeadlineMs,
      () => `last answer: ${last}`,
    );
  } finally {
    caller.close();
  }
}

/** Starts the visitor's sidecar and the instances, side by side. @returns the visitor */
export async function startShop(
  mesh: LocalMesh,
  visitorPorts: SidecarPorts,
  instances: readonly ShopInstance[],
): Promise<MeshApp> {
  const [visitor] = await Promise.all([
    mesh.add({ name: visitorName, app: visitorName, ports: visitorPorts }),
    ...instances.map(async (one) => await mesh.add(one)),
    mesh.zooKeeper === undefined ? mesh.add(prices) : mesh.addOutside(prices.name, prices.sample),
  ]);
  await untilPageIsWhole(visitor);
  return visitor;
}
