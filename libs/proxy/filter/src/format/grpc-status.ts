/** By number: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** Envoy's spellings that are not simply the snake name in camel case. */
const camelNames: Readonly<Record<string, string>> = { OK: "OK", CANCELLED: "Canceled" };

export function grpcStatusOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** One that gRPC does not know is written as its number. */
export function grpcStatusText(status: number, snake: boolean): string {
  const name = names[status];
  if (name === undefined) return String(status);
  if (snake) return name;
  return (
    camelNames[name] ?? name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase())
  );
}
