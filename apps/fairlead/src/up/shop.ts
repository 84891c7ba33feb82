import type { LocalMesh } from "./local-mesh.ts";
import type { MeshApp } from "./mesh-app.ts";
import type { SidecarPorts } from "./ports.ts";

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
  instance("storefront", "v1"),
];
export const wholeShop: readonly ShopInstance[] = [
  ...shopWithoutSecondReviews,
  instance("reviews", "v2", "reviews-v2"),
];

/** Starts the visitor's sidecar and the instances, side by side. @returns the visitor */
export async function startShop(
  mesh: LocalMesh,
  visitorPorts: SidecarPorts,
  instances: readonly ShopInstance[],
): Promise<MeshApp> {
  const [visitor] = await Promise.all([
    mesh.add({ name: visitorName, app: visitorName, ports: visitorPorts }),
    ...instances.map(async (one) => await mesh.add(one)),
  ]);
  return visitor;
}
