import { type PolicyObject, policyKey } from "@fairlead/model";
import { PolicyEntity, type PolicyRow } from "./catalogue-entities.ts";
import type { PutOutcome } from "./catalogue-writer.ts";
import { RecordedTable, type TransactionParts } from "./recorded-table.ts";
import { policyOf, policyRowOf } from "./row-mapping.ts";

/** Policies. One transaction at a time writes any of them: several that are applied together stay together. */
export class PolicyRows {
  readonly #parts: TransactionParts;
  readonly #table: RecordedTable<PolicyRow, PolicyObject>;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#table = new RecordedTable(parts, { kind: "policy", entity: PolicyEntity, valueOf: policyOf });
  }

  async putPolicy(policy: PolicyObject): Promise<PutOutcome> {
    await this.#parts.locks.take("policies", "");
    return await this.#table.put(policyRowOf(policy));
  }

  async removePolicy(policy: Pick<PolicyObject, "kind" | "namespace" | "name">): Promise<boolean> {
    await this.#parts.locks.take("policies", "");
    return await this.#table.remove(policyKey(policy));
  }
}
