import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type {
  RetryPolicy as RetryPolicyMessage,
  RetryPolicy_RetryHostPredicate,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { OmitHostMetadataConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js";
import type { RetryPolicy } from "@fairlead/proxy-router";
import { rejection } from "./rejection.ts";
import { readMetadataMatch } from "./subsets.ts";

type Predicates = Pick<RetryPolicy, "avoidHostsAttempts" | "avoidsFailedHosts" | "avoidMetadata">;

/** As Envoy: a host says in `envoy.lb` that it is one. */
const canary: ReadonlyMap<string, string> = new Map([["canary", "true"]]);
const MAX_ATTEMPTS = 100;

/** Which hosts another attempt does not take. @throws FairleadError FL_XDS_REJECTED */
export function readHostPredicates(message: RetryPolicyMessage, where: string): Predicates {
  let avoidsFailedHosts = false;
  const avoidMetadata: ReadonlyMap<string, string>[] = [];
  for (const [i, predicate] of message.retryHostPredicate.entries()) {
    const field = `${where}.retry_host_predicate[${i}]`;
    switch (nameOf(predicate)) {
      case "previous_hosts":
        avoidsFailedHosts = true;
        break;
      case "omit_canary_hosts":
        avoidMetadata.push(canary);
        break;
      case "omit_host_metadata": {
        const match = readOmitted(predicate, field);
        if (match !== undefined) avoidMetadata.push(match);
        break;
      }
      default:
        throw rejection(
          field,
          `${predicate.name} is not supported; previous_hosts, omit_canary_hosts and omit_host_metadata are`,
        );
    }
  }
  const attempts = Math.min(Math.max(Number(message.hostSelectionRetryMaxAttempts), 1), MAX_ATTEMPTS);
  const avoids = message.retryHostPredicate.length > 0;
  return { avoidHostsAttempts: avoids ? attempts : 0, avoidsFailedHosts, avoidMetadata };
}

/** By its type, or where it has none by its name: `envoy.retry_host_predicates.previous_hosts`. */
function nameOf({ name, configType }: RetryPolicy_RetryHostPredicate): string | undefined {
  const typed = configType.case === "typedConfig" ? configType.value.typeUrl : "";
  return (
    /^type\.googleapis\.com\/envoy\.extensions\.retry\.host\.(\w+)\.v3\./.exec(typed)?.[1] ??
    /^envoy\.retry_host_predicates\.(\w+)$/.exec(name)?.[1]
  );
}

function readOmitted(
  { configType }: RetryPolicy_RetryHostPredicate,
  where: string,
): Predicates["avoidMetadata"][number] | undefined {
  const config =
    configType.case === "typedConfig" ? anyUnpack(configType.value, OmitHostMetadataConfigSchema) : undefined;
  if (config === undefined) throw rejection(`${where}.typed_config`, "is missing");
  return readMetadataMatch(config.metadataMatch, `${where}.typed_config.metadata_match`);
}
