import { fromBinary, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import {
  type FilterPlace,
  registerRouteConfig,
  registerStreamFilter,
  type StreamFilterFactory,
} from "@fairlead/proxy-filter";

/** What a listener's `http_filters` and a route's `typed_per_filter_config` are to have as `type_url`; the value is a Struct. */
export const tenantFilterType = "type.googleapis.com/example.TenantFilter";

/** `{ header: "x-tenant", allowed: ["a", "b"] }` */
class TenantRule {
  readonly header: string;
  readonly allowed: ReadonlySet<string>;

  /** @throws with the field, which the control plane is told as the reason of a NACK */
  constructor(bytes: Uint8Array, where: string) {
    const config = toJson(StructSchema, fromBinary(StructSchema, bytes));
    const { header = "x-tenant", allowed = [] } = config;
    if (typeof header !== "string" || !/^[a-z0-9-]+$/.test(header))
      throw new Error(`${where}header: is not a header name`);
    if (!Array.isArray(allowed)) throw new Error(`${where}allowed: is not a list`);
    this.header = header;
    this.allowed = new Set(allowed.map(String));
  }
}

function tenantFilter(ofListener: TenantRule, { name }: FilterPlace): StreamFilterFactory {
  return (callbacks) => {
    // The most specific of weighted cluster, route, virtual host and table; its type is ours, as our reader made it.
    const own = callbacks.override(name)?.config;
    const rule = own instanceof TenantRule ? own : ofListener;
    // Nothing to do for this request: it costs nothing further.
    if (rule.allowed.size === 0) return undefined;
    return {
      onRequestHead(head) {
        const tenant = head.headers.get(rule.header) ?? "";
        if (rule.allowed.has(tenant)) return "continue";
        callbacks.count("tenant.refused");
        callbacks.sendLocalReply({ status: 403, body: "unknown tenant", details: "tenant_refused" });
        return "stop";
      },
      onResponseHead(head) {
        head.headers.set("x-tenant-checked", "yes");
      },
    };
  };
}

registerStreamFilter(tenantFilterType, (bytes, place) => tenantFilter(new TenantRule(bytes, place.where), place));
registerRouteConfig(tenantFilterType, (bytes, where) => new TenantRule(bytes, where));
