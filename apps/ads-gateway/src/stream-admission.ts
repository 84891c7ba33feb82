import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { Metadata } from "@grpc/grpc-js";
import { grpcStatusOf } from "./grpc-status.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface StreamAdmissionOptions {
  /** New streams a second; as many at once after a quiet second. */
  readonly perSecond: number;
  /** A stream waits this long for its turn; one that would wait longer is refused. ms */
  readonly maxWaitMs: number;
  readonly logger: Logger;
  readonly onRefused: () => void;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
}

/** A new gRPC stream, as far as admission looks at it. */
export interface AdmittedCall {
  readonly cancelled: boolean;
  getPeer(): string;
  emit(event: "error", status: object): boolean;
}

/**
 * How many streams may begin in a second. Each begins with the whole configuration of its proxy: after a restart thousands
 * connect at the same time, and those that are served already are not to wait for them.
 */
export class StreamAdmission {
  readonly #options: StreamAdmissionOptions;
  readonly #bucket: TokenBucket;

  constructor(options: StreamAdmissionOptions) {
    this.#options = options;
    const { perSecond, now } = options;
    this.#bucket = new TokenBucket({ perSecond, burst: perSecond, ...(now === undefined ? {} : { now }) });
  }

  /** Calls `open` when it is the stream's turn, or refuses the stream with the time after which it may come again. */
  admit(call: AdmittedCall, open: () => void): void {
    const waitMs = this.#bucket.reserve(this.#options.maxWaitMs);
    if (waitMs === undefined) this.#refuse(call);
    else if (waitMs === 0) open();
    else
      setTimeout(() => {
        if (!call.cancelled) open();
      }, waitMs);
  }

  #refuse(call: AdmittedCall): void {
    const { logger, onRefused } = this.#options;
    const retryMs = this.#bucket.waitMs;
    const error = new FairleadError("FL_GATEWAY_BUSY", `too many streams begin at once; try again in ${retryMs} ms`);
    logger.info({ code: error.code, peer: call.getPeer() }, "stream refused");
    onRefused();
    const metadata = new Metadata();
    // gRFC A6: how long a client that retries is to wait.
    metadata.set("grpc-retry-pushback-ms", String(retryMs));
    call.emit("error", { ...grpcStatusOf(error), metadata });
  }
}
