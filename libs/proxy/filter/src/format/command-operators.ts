import { connectionOperators } from "./connection-operators.ts";
import { messageOperators } from "./message-operators.ts";
import { metadataOperators } from "./metadata-operators.ts";
import { type Operator, type OperatorFactory, plain, withArgument } from "./operator.ts";
import { streamOperators } from "./stream-operators.ts";

export type OperatorTable = ReadonlyMap<string, OperatorFactory>;

/** Nothing sets it in this proxy; a format that was written for Envoy can be used as it is. */
const filterState = withArgument(() => () => undefined);

function environment(name: string): Operator {
  const value = process.env[name];
  return () => value;
}

/** Envoy's command operators that have a meaning in this proxy: for header values. */
export const headerOperators: OperatorTable = new Map([
  ...Object.entries(messageOperators),
  ...Object.entries(streamOperators),
  ...Object.entries(connectionOperators),
  ...Object.entries(metadataOperators),
  ["FILTER_STATE", filterState],
  ["ENVIRONMENT", withArgument(environment)],
  // As Envoy has it where nothing is logged.
  ["ACCESS_LOG_TYPE", plain(() => "NotSet")],
]);

/** For access logs. */
export const logOperators: OperatorTable = new Map([
  ...headerOperators,
  // What has no protocol was passed on as bytes.
  ["ACCESS_LOG_TYPE", plain(({ protocol }) => (protocol === "" ? "TcpConnectionEnd" : "DownstreamEnd"))],
]);
