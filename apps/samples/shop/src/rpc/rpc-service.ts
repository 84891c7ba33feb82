import type { ServedBy } from "../shop-service.ts";
import type { JavaValue, RpcProtocolName } from "./rpc-protocol.ts";

/** One service of the shop that is called over Dubbo or bolt. */
export interface RpcShopService {
  readonly interface: string;
  readonly protocol: RpcProtocolName;
  readonly methods: Readonly<Record<string, (args: readonly unknown[]) => Readonly<Record<string, unknown>>>>;
}

const mapOf = (fields: Readonly<Record<string, unknown>>): JavaValue => ({ $class: "java.util.HashMap", $: fields });

/** An answer with who gave it, as a map of Java. */
export function answerOf(
  service: RpcShopService,
  method: string,
  args: readonly unknown[],
  servedBy: ServedBy,
): JavaValue {
  const answer = service.methods[method];
  if (answer === undefined) throw new Error(`${service.interface} has no method ${method}`);
  return mapOf({ ...answer(args), servedBy: mapOf({ ...servedBy }) });
}
