import { create, toBinary } from "@bufbuild/protobuf";
import { type Bus, subjects } from "@fairlead/bus";
import type { RejectedCompile } from "@fairlead/compile";
import { ConfigPushedSchema } from "@fairlead/fairlead-api";
import { rejectedMessage } from "./rejected-message.ts";

export interface Announcement {
  /** All that is rejected now. */
  readonly rejected: readonly RejectedCompile[];
  readonly revision: number;
  readonly changedKeys: readonly string[];
  readonly removedKeys: readonly string[];
  /** `<kind> <key>` of the objects that the revision changed. */
  readonly changedObjects: ReadonlySet<string>;
  readonly traceparent: string | undefined;
  readonly compileMs: number;
}

/** Keys beyond this are left out of the message: it is a hint, and the bucket has them all. */
const maxKeys = 1000;

/** Publishes `config.pushed` after each commit. */
export class Announcer {
  readonly #bus: Bus;
  #previousRevision = 0;
  #rejectedBefore = new Set<string>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Names the rejected objects that concern the revision: those that it changed, and those that were not rejected, or for another
   * reason, before it.
   */
  async announce(announcement: Announcement): Promise<void> {
    const { rejected, revision, changedKeys, removedKeys, changedObjects, traceparent, compileMs } = announcement;
    const identified = rejected.map((one) => ({
      ...one,
      identity: JSON.stringify([one.provenance, one.code, one.message]),
    }));
    const message = create(ConfigPushedSchema, {
      revision: BigInt(revision),
      previousRevision: BigInt(this.#previousRevision),
      changedKeys: changedKeys.slice(0, maxKeys),
      removedKeys: removedKeys.slice(0, maxKeys),
      rejected: identified
        .filter(
          ({ identity, provenance }) =>
            changedObjects.has(`${provenance.kind} ${provenance.key}`) || !this.#rejectedBefore.has(identity),
        )
        .map(rejectedMessage),
      traceparent: traceparent ?? "",
      compileMs,
    });
    await this.#bus.publish({
      subject: subjects.configPushed,
      data: toBinary(ConfigPushedSchema, message),
      revision,
      traceparent,
    });
    this.#previousRevision = revision;
    this.#rejectedBefore = new Set(identified.map(({ identity }) => identity));
  }
}
