import { rpcError } from "@fairlead/codec-rpc";

const counts = new Map<string, number>();
/** A mesh has some ten thousand methods; what comes from a hostile client is not kept for ever. */
const maxKnown = 16_384;
/** Nor is what is longer than that of any method. */
const maxKnownLength = 1024;

/**
 * Arguments of a method, by the JVM descriptor of their types: `Ljava/lang/String;I[B` has three.
 *
 * @throws FairleadError FL_RPC_BODY_UNREADABLE
 */
export function argumentCount(descriptor: string): number {
  if (descriptor === "") return 0;
  if (descriptor.length > maxKnownLength) return parse(descriptor);
  let count = counts.get(descriptor);
  if (count === undefined) {
    count = parse(descriptor);
    if (counts.size >= maxKnown) counts.clear();
    counts.set(descriptor, count);
  }
  return count;
}

function parse(descriptor: string): number {
  let count = 0;
  for (let at = 0; at < descriptor.length; count++) {
    while (descriptor[at] === "[") at++;
    if (descriptor[at] === "L") {
      at = descriptor.indexOf(";", at);
      if (at === -1) throw unreadable(descriptor);
    } else if (!"ZBCDFIJSV".includes(descriptor[at] ?? "?")) throw unreadable(descriptor);
    at++;
  }
  return count;
}

function unreadable(descriptor: string): Error {
  return rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", `${descriptor.slice(0, 80)} is no descriptor of argument types`);
}
