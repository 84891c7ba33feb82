import { CatalogueReplica, type Change, type Instance, instanceKey, policyKey, serviceKey } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";

const endpointsPerService = 10;
/** All services share them: what is measured is the services' cost. */
const nodeCount = 100;

/** A mesh of many services, and changes of it that take turns, each different from the one before. */
export class LargeMesh {
  readonly catalogue = new CatalogueReplica();
  #turn = 0;

  constructor(serviceCount: number) {
    for (let index = 0; index < nodeCount; index += 1) {
      const id = `node-${index}`;
      const address = `10.0.0.${index}`;
      this.catalogue.nodes.set(id, {
        id,
        app: "app",
        address,
        inboundPort: 15006,
        outboundPort: 15001,
        labels: {},
      });
    }
    for (let place = 0; place < serviceCount; place += 1) {
      for (let endpoint = 0; endpoint < endpointsPerService; endpoint += 1) {
        // A service's instances are on nodes of their own; few instances share a node's inbound routes with the one that changes.
        const instance = this.#instance(place, 1 + ((place * endpointsPerService + endpoint) % (nodeCount - 1)));
        this.catalogue.instances.set(instanceKey(instance), instance);
        this.catalogue.services.set(serviceKey(instance), { interface: instance.interface, protocol: "http" });
      }
    }
  }

  /** An instance of the first service is ready, or no longer. */
  endpointChange(): Change {
    const state = this.#turn % 2 === 0 ? "ready" : "draining";
    const value: Instance = { ...this.#instance(0, 0), state };
    return { kind: "instance", key: instanceKey(value), value, revision: this.#nextRevision() };
  }

  /** The time-out of calls to the first service. */
  policyChange(): Change {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {hosts: [${nameOf(0)}], http: [{timeout: ${1 + (this.#turn % 7)}s, route: [{destination: {host: ${nameOf(1)}}}]}]}\n`;
    const value = parsePolicies(text, { file: "p.yaml" }).policies[0]!.object;
    return { kind: "policy", key: policyKey(value), value, revision: this.#nextRevision() };
  }

  #instance(place: number, node: number): Instance {
    return {
      nodeId: `node-${node}`,
      interface: nameOf(place),
      protocol: "http",
      port: 8080,
      version: "",
      group: "",
      methods: [],
      labels: {},
      weight: 100,
      state: "ready",
    };
  }

  #nextRevision(): number {
    this.#turn += 1;
    return this.catalogue.revision + this.#turn;
  }
}

function nameOf(place: number): string {
  return `shop.Service${place}`;
}
