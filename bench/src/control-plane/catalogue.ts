import type { Instance, MeshNode, Service } from "@fairlead/model";
import { markers, markerService } from "./marker.ts";

export interface MeshSize {
  readonly services: number;
  readonly endpoints: number;
}

/** Services of one application: its hosts publish all of them, as Dubbo applications do. */
const servicesPerApp = 10;

/** Hosts that publish without a proxy: callers go to the instance's own port. */
export function* hosts({ services, endpoints }: MeshSize): Generator<MeshNode> {
  for (let app = 0; app < services / servicesPerApp; app += 1) {
    for (let replica = 0; replica < endpoints; replica += 1) yield hostOf(app, replica);
  }
}

function hostOf(app: number, replica: number): MeshNode {
  const address = `10.${replica}.${app >> 8}.${app & 255}`;
  return { id: `host~${address}~app-${app}~bench`, app: `app-${app}`, address, labels: {} };
}

export function serviceOf(index: number): Service {
  const name = index < markers ? markerService(index) : `bench.Service-${String(index).padStart(4, "0")}`;
  return { interface: name, protocol: "http" };
}

/** An instance of the service with that index. */
export function instanceOf(index: number, replica: number, weight = 1): Instance {
  const host = hostOf(Math.floor(index / servicesPerApp), replica);
  const { interface: name, protocol } = serviceOf(index);
  return {
    nodeId: host.id,
    interface: name,
    protocol,
    port: 8000 + (index % servicesPerApp),
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight,
    state: "ready",
  };
}

export function hostOfInstance(index: number, replica: number): MeshNode {
  return hostOf(Math.floor(index / servicesPerApp), replica);
}
