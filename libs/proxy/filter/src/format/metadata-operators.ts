import type { StreamInfo } from "../stream-info.ts";
import { type Operator, type OperatorFactory, withArgument } from "./operator.ts";

type Kind = Parameters<StreamInfo["metadataOf"]>[0];

const kinds: Readonly<Record<string, Kind>> = {
  DYNAMIC: "dynamic",
  ROUTE: "route",
  VIRTUAL_HOST: "virtualHost",
  CLUSTER: "cluster",
  UPSTREAM_HOST: "host",
};

/** `namespace:key:key…`: a namespace, or what is in it. */
function metadataAt(kind: Kind, argument: string): Operator | undefined {
  const path = argument.split(":");
  if (path.includes("")) return undefined;
  const json = (info: StreamInfo): unknown => {
    let value: unknown = info.metadataOf(kind);
    for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return value ?? undefined;
  };
  const text: Operator = (info) => {
    const value = json(info);
    return typeof value === "string" || typeof value === "number" || value === undefined
      ? value
      : JSON.stringify(value);
  };
  return Object.assign(text, { json });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

const ofKind = (kind: Kind): OperatorFactory => withArgument((argument) => metadataAt(kind, argument));

/** What the control plane says of what a request met. */
export const metadataOperators: Readonly<Record<string, OperatorFactory>> = {
  METADATA: withArgument((argument) => {
    const at = argument.indexOf(":");
    const kind = kinds[argument.slice(0, Math.max(at, 0))];
    return kind === undefined ? undefined : metadataAt(kind, argument.slice(at + 1));
  }),
  DYNAMIC_METADATA: ofKind("dynamic"),
  CLUSTER_METADATA: ofKind("cluster"),
  UPSTREAM_METADATA: ofKind("host"),
};
