import type { TLSSocket } from "node:tls";
import { NamedCounts } from "@fairlead/stat-cells";
import type { PeerProblem } from "./peer-check.ts";

/** There are some 60 ciphers, of which a proxy sees a few. */
const MAX_NAMES = 32;

/** What can be wrong with a peer's certificate. */
export type CertificateProblem = PeerProblem | "not trusted";

const counters = {
  "no certificate": "fail_verify_no_cert",
  "not trusted": "fail_verify_error",
  "verify SAN list": "fail_verify_san",
  "verify certificate hash": "fail_verify_cert_hash",
} as const;

/** `listener.<address>.ssl.…` and `cluster.<name>.ssl.…`, by Envoy's names. */
export class TlsStats {
  handshake = 0;
  /** TLS failed, other than because of a certificate. Who only goes away is not counted. */
  connection_error = 0;
  session_reused = 0;
  /** Handshakes of clients that have none. */
  no_certificate = 0;
  fail_verify_no_cert = 0;
  fail_verify_error = 0;
  fail_verify_san = 0;
  fail_verify_cert_hash = 0;
  /** `ciphers.<name>`, `versions.<name>`, `curves.<name>` */
  readonly byName = new NamedCounts(MAX_NAMES);

  countHandshake(socket: TLSSocket): void {
    this.handshake++;
    if (socket.isSessionReused()) this.session_reused++;
    this.byName.count(`ciphers.${socket.getCipher().name}`);
    this.byName.count(`versions.${socket.getProtocol() ?? "unknown"}`);
    // Known at the client's end only.
    const curve = socket.getEphemeralKeyInfo();
    if (curve !== null && "name" in curve) this.byName.count(`curves.${curve.name}`);
  }

  countProblem(problem: CertificateProblem): void {
    this[counters[problem]]++;
  }

  countError(error: NodeJS.ErrnoException): void {
    if (error.code !== "ECONNRESET" && error.code !== "EPIPE") this.connection_error++;
  }
}
