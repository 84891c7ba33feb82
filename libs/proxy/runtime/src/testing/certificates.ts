import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An authority of its own, and what it signs, as files; made by OpenSSL. */
export class Certificates implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fairlead-certificates-"));
  readonly authority = join(this.#folder, "ca.pem");

  constructor() {
    const key = join(this.#folder, "ca.key");
    this.#openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=ca", "-keyout", key, "-out", this.authority); // prettier-ignore
  }

  /** @param names as OpenSSL writes them: `DNS:a.example,URI:spiffe://x` */
  issue(name: string, names: string): { readonly chain: string; readonly key: string } {
    const file = (suffix: string): string => join(this.#folder, `${name}.${suffix}`);
    this.#openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`, "-addext", "basicConstraints=critical,CA:FALSE", "-CA", this.authority, "-CAkey", join(this.#folder, "ca.key"), "-keyout", file("key"), "-out", file("pem")); // prettier-ignore
    return { chain: file("pem"), key: file("key") };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }
}
