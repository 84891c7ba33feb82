import { connectionOperators } from "./connection-operators.ts";
import { messageOperators } from "./message-operators.ts";
import { type OperatorFactory, plain, withArgument } from "./operator.ts";
import { streamOperators } from "./stream-operators.ts";

export type OperatorTable = ReadonlyMap<string, OperatorFactory>;

/** Envoy's command operators that have a meaning in this proxy: for header values and access logs. */
export const headerOperators: OperatorTable = new Map([
  ...Object.entries(messageOperators),
  ...Object.entries(streamOperators),
  ...Object.entries(connectionOperators),
]);

/** What nothing sets in this proxy is empty: a format that was written for Envoy can be used as it is. */
const empty = withArgument(() => () => undefined);

/** For access logs; the environment, which may hold secrets, must not get into what is sent to hosts and clients. */
export const logOperators: OperatorTable = new Map([
  ...headerOperators,
  ["ACCESS_LOG_TYPE", plain(() => "DownstreamEnd")],
  ["DYNAMIC_METADATA", empty],
  ["METADATA", empty],
  ["FILTER_STATE", empty],
  ["ENVIRONMENT", withArgument((name) => () => process.env[name])],
]);
