import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type PeerCheck,
  type TlsCertificates,
  TlsFiles,
  type TlsMaterial,
  type TlsSource,
  type TlsTerms,
} from "@fairlead/proxy-upstream";
import { readAgain } from "../translate/newer-fields.ts";
import { readValidation } from "../translate/tls-validation.ts";
import type { Secret, SecretLookup } from "./secret.ts";

export interface SecretTlsOptions {
  readonly secrets: SecretLookup;
  /** What does not come over SDS. */
  readonly material: TlsMaterial;
  readonly certificateNames: readonly string[];
  /** undefined: who may be the peer is said by `validation` alone. */
  readonly validationName: string | undefined;
  /** The secret is merged into this one. */
  readonly validation: CertificateValidationContext | undefined;
}

interface Made {
  readonly of: readonly Secret[];
  readonly files: TlsFiles;
  readonly verify: boolean;
  readonly check: PeerCheck;
}

/** TLS whose certificates come over SDS: made anew for the first connection after one of its secrets has changed. */
export class SecretTls implements TlsSource {
  readonly #options: SecretTlsOptions;
  #made: Made | undefined;

  constructor(options: SecretTlsOptions) {
    this.#options = options;
  }

  current(): TlsTerms | undefined {
    const made = this.#make();
    return made === undefined ? undefined : { context: made.files.context(), verify: made.verify, check: made.check };
  }

  certificates(): TlsCertificates {
    return this.#make()?.files.certificates() ?? { chains: [], trusted: undefined };
  }

  #make(): Made | undefined {
    const { secrets, certificateNames, validationName } = this.#options;
    const names = validationName === undefined ? certificateNames : [...certificateNames, validationName];
    const of: Secret[] = [];
    for (const name of names) {
      const secret = secrets.get(name);
      if (secret === undefined || (secret.kind === "validation") !== (of.length === certificateNames.length))
        return undefined;
      of.push(secret);
    }
    const before = this.#made;
    if (before !== undefined && of.every((secret, i) => secret === before.of[i])) return before;
    try {
      this.#made = readAgain(() => this.#create(of));
    } catch {
      // A file that a secret names cannot be read, or the parts do not make a whole: what was in use stays.
    }
    return this.#made;
  }

  #create(of: readonly Secret[]): Made {
    const { material, validation } = this.#options;
    const certificates = of.flatMap((secret) => (secret.kind === "certificate" ? [secret.certificate] : []));
    const secret = of.find(({ kind }) => kind === "validation");
    const message = merge(validation, secret?.kind === "validation" ? secret.message : undefined);
    const { trusted, check } = readValidation(message, "");
    const files = new TlsFiles({ ...material, certificates: [...material.certificates, ...certificates], trusted });
    return { of, files, verify: trusted !== undefined, check };
  }
}

/** As protobuf merges messages (Envoy's rule for combined contexts): lists are joined, single fields of the second win. */
function merge(
  first: CertificateValidationContext | undefined,
  second: CertificateValidationContext | undefined,
): CertificateValidationContext | undefined {
  if (first === undefined || second === undefined) return second ?? first;
  const bytes = [first, second].map((message) => toBinary(CertificateValidationContextSchema, message));
  return fromBinary(CertificateValidationContextSchema, Buffer.concat(bytes));
}
