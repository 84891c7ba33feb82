import type { Logger } from "@fairlead/logging";
import type { Refusal } from "./refusals.ts";

/** Lines of equal refusals within the time; what is more is counted. */
const maxEqual = 5;
const withinMs = 10_000;
const maxKinds = 1000;
/** Of names and of sources in a line. The rest is in /debug/syncz and in the status of the gateway. */
const maxShown = 5;

interface Kind {
  readonly sinceMs: number;
  lines: number;
  unsaid: number;
}

/** The lines about refused responses: when all proxies refuse the same, a few of them say so. */
export class RefusalLog {
  readonly #logger: Pick<Logger, "warn">;
  readonly #now: () => number;
  /** By what is refused and why. */
  readonly #kinds = new Map<string, Kind>();

  /** @param now monotonic, ms */
  constructor(logger: Pick<Logger, "warn">, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  refused(node: string | undefined, { names, provenance, ...refusal }: Refusal): void {
    const kind = this.#kindOf(`${refusal.typeUrl} ${refusal.version} ${refusal.reason}`);
    if (kind.lines >= maxEqual) {
      kind.unsaid++;
      return;
    }
    kind.lines++;
    const { unsaid } = kind;
    kind.unsaid = 0;
    this.#logger.warn(
      {
        node,
        ...refusal,
        names: names.slice(0, maxShown),
        ...(names.length > maxShown ? { furtherNames: names.length - maxShown } : {}),
        provenance: provenance.slice(0, maxShown),
        ...(provenance.length > maxShown ? { furtherProvenance: provenance.length - maxShown } : {}),
        ...(unsaid === 0 ? {} : { unsaid }),
      },
      "proxy refused a response (NACK)",
    );
  }

  #kindOf(key: string): Kind {
    const now = this.#now();
    const known = this.#kinds.get(key);
    if (known !== undefined && now - known.sinceMs < withinMs) return known;
    const kind = { sinceMs: now, lines: 0, unsaid: known?.unsaid ?? 0 };
    if (this.#kinds.size >= maxKinds) this.#kinds.clear();
    this.#kinds.set(key, kind);
    return kind;
  }
}
