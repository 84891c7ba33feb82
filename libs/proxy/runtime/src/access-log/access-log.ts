import { compileTextFormat, defaultTextFormat, type LogFormat, type StreamInfo } from "@fairlead/proxy-filter";
import type { LogTarget } from "./log-file.ts";
import type { LogFiles } from "./log-files.ts";
import type { LogFilter } from "./log-filter.ts";

/** Which requests are logged, how, and where. */
export interface AccessLogSpec {
  readonly target: LogTarget;
  readonly format: LogFormat;
  /** undefined = all */
  readonly filter: LogFilter | undefined;
}

export type AccessLogger = (info: StreamInfo) => void;

/** Envoy's default line to a place of the operator's choice. */
export function defaultAccessLog(target: LogTarget): AccessLogSpec {
  const format = compileTextFormat(defaultTextFormat, { omitEmpty: false });
  if (format === undefined) throw new Error("the default format has an operator that is not known");
  return { target, format, filter: undefined };
}

/** @returns undefined for none: then a request costs nothing here */
export function accessLoggerOf(specs: readonly AccessLogSpec[], files: LogFiles): AccessLogger | undefined {
  const [only, ...more] = specs.map(({ target, format, filter }): AccessLogger => {
    const file = files.at(target);
    return (info) => {
      if (filter === undefined || filter(info)) file.write(format(info));
    };
  });
  if (only === undefined || more.length === 0) return only;
  return (info) => {
    only(info);
    for (const log of more) log(info);
  };
}
