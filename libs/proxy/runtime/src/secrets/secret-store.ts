import { SecretSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { type Accepted, decodeResources } from "../decode-resources.ts";
import type { NewerFields } from "../translate/newer-fields.ts";
import { readSecret } from "../translate/secret.ts";
import type { XdsRejection, XdsResource } from "../xds-resource.ts";
import type { Secret, SecretLookup } from "./secret.ts";

/** SDS as it was accepted: the certificates that clusters and listeners name. */
export class SecretStore implements SecretLookup {
  readonly #newer: NewerFields;
  readonly #secrets = new Map<string, Accepted<Secret>>();
  /** Those that were waited for long enough. */
  readonly #givenUp = new Set<string>();

  constructor(newer: NewerFields) {
    this.#newer = newer;
  }

  get(name: string): Secret | undefined {
    return this.#secrets.get(name)?.value;
  }

  all(): readonly Accepted<Secret>[] {
    return [...this.#secrets.values()];
  }

  /** Whether who names these need not wait any longer: they are there, or were waited for long enough. */
  settled(names: readonly string[]): boolean {
    return names.every((name) => this.#secrets.has(name) || this.#givenUp.has(name));
  }

  /** One that is missing stays, as endpoints and routes do: a connection without certificates is worse than with old ones. */
  apply(resources: readonly XdsResource[]): readonly XdsRejection[] {
    const { accepted, rejections } = decodeResources(
      SecretSchema,
      resources,
      (name) => this.#secrets.get(name),
      (message) => ({ name: message.name, value: readSecret(message) }),
      this.#newer,
    );
    for (const secret of accepted) this.#secrets.set(secret.name, secret);
    return rejections;
  }

  /** These did not come: who waits for them goes on, and has no connection until they come. */
  giveUpOn(names: readonly string[]): void {
    for (const name of names) this.#givenUp.add(name);
  }

  /** @param wanted the names that a cluster or a listener still refers to */
  keepOnly(wanted: readonly string[]): void {
    const names = new Set(wanted);
    for (const name of this.#secrets.keys()) if (!names.has(name)) this.#secrets.delete(name);
    for (const name of this.#givenUp) if (!names.has(name)) this.#givenUp.delete(name);
  }
}
