import type { RuntimeLogger } from "../runtime-options.ts";

/** Reading is synchronous: what is read now is of one resource. */
let ignored: ((field: string) => void) | undefined;

/** @returns false: it is to be refused */
export function ignoreNewerField(field: string): boolean {
  ignored?.(field);
  return ignored !== undefined;
}

/** Reads something in which fields that are newer than our protos are told, and not refused. */
function ignoring<Result>(tell: (field: string) => void, read: () => Result): Result {
  const before = ignored;
  ignored = tell;
  try {
    return read();
  } finally {
    ignored = before;
  }
}

/** Reads what was read before, and taken: its newer fields are not judged once more. */
export function readAgain<Result>(read: () => Result): Result {
  return ignoring(() => undefined, read);
}

/**
 * What is done with a field that is newer than our protos:
 * - `refuse`: its resource is refused, the last good version stays
 * - `ignore`: it is counted, and each field is logged once
 * - `ignore quietly`: another thread reads the same and tells of it
 */
export type UnknownFields = "refuse" | "ignore" | "ignore quietly";

/** So many fields are told of by name. */
const MAX_TOLD = 1000;

/** The fields of one proxy's resources that were newer than its protos, and left aside. */
export class NewerFields {
  readonly #policy: UnknownFields;
  readonly #logger: RuntimeLogger;
  readonly #told = new Set<string>();
  /** How often such a field was read. */
  count = 0;

  constructor(policy: UnknownFields, logger: RuntimeLogger) {
    this.#policy = policy;
    this.#logger = logger;
  }

  /** @param resource whose message is read */
  within<Result>(resource: string, read: () => Result): Result {
    if (this.#policy === "refuse") return read();
    if (this.#policy === "ignore quietly") return readAgain(read);
    return ignoring((field) => this.#note(field, resource), read);
  }

  #note(field: string, resource: string): void {
    this.count++;
    if (this.#told.has(field) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(field);
    this.#logger.warn(
      { field, resource },
      "a field is newer than this proxy: it is ignored, in all resources, as FAIRLEAD_UNKNOWN_XDS_FIELDS says",
    );
  }
}
