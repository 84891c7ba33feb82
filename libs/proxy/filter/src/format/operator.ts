import type { StreamInfo } from "../stream-info.ts";

/** What is known at that moment; undefined = nothing, which is written as `-`, or as null in JSON. */
export type OperatorValue = string | number | undefined;

export interface Operator {
  (info: StreamInfo): OperatorValue;
  /** As JSON has it, where that is not the text. */
  readonly json?: (info: StreamInfo) => unknown;
}

/**
 * Reads what is in the parentheses of `%NAME(argument)%`.
 *
 * @param argument undefined = there are no parentheses
 * @returns undefined when it is not understood
 */
export type OperatorFactory = (argument: string | undefined) => Operator | undefined;

/** One that takes no argument. */
export const plain =
  (operator: Operator): OperatorFactory =>
  (argument) =>
    argument === undefined ? operator : undefined;

/** One that needs an argument. */
export const withArgument =
  (create: (argument: string) => Operator | undefined): OperatorFactory =>
  (argument) =>
    argument === undefined ? undefined : create(argument);

/** `address:port` as it is written: IPv6 in brackets. */
export const withPort = (address: string, port: number): string | undefined => {
  if (address === "") return undefined;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
};

/** An empty text is nothing. */
export const orNothing = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
