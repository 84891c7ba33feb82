import { isDeepStrictEqual } from "node:util";
import { type PolicyObject, policyKey } from "@fairlead/model";
import type { EntityManager } from "typeorm";
import { PolicyEntity } from "./catalogue-entities.ts";
import type { PutOutcome } from "./catalogue-writer.ts";
import type { ChangeRecorder } from "./change-recorder.ts";
import { policyOf, policyRowOf } from "./row-mapping.ts";
import type { TransactionLocks } from "./transaction-locks.ts";

/** Policies. One transaction at a time writes any of them: several that are applied together stay together. */
export class PolicyRows {
  readonly #manager: EntityManager;
  readonly #locks: TransactionLocks;
  readonly #recorder: ChangeRecorder;

  constructor(manager: EntityManager, locks: TransactionLocks, recorder: ChangeRecorder) {
    this.#manager = manager;
    this.#locks = locks;
    this.#recorder = recorder;
  }

  async putPolicy(policy: PolicyObject): Promise<PutOutcome> {
    await this.#locks.take("policies", "");
    const row = policyRowOf(policy);
    const existing = await this.#manager.findOneBy(PolicyEntity, { key: row.key });
    if (existing !== null && isDeepStrictEqual(policyOf(existing), policyOf(row))) return "unchanged";
    if (existing === null) await this.#manager.insert(PolicyEntity, row);
    else await this.#manager.update(PolicyEntity, { key: row.key }, row);
    this.#recorder.record({ kind: "policy", key: row.key, value: policyOf(row) });
    return existing === null ? "created" : "configured";
  }

  async removePolicy(policy: Pick<PolicyObject, "kind" | "namespace" | "name">): Promise<boolean> {
    await this.#locks.take("policies", "");
    const key = policyKey(policy);
    const { affected } = await this.#manager.delete(PolicyEntity, { key });
    if (affected !== 1) return false;
    this.#recorder.record({ kind: "policy", key, value: undefined });
    return true;
  }
}
