import { retriesReset } from "./retry-decision.ts";
import { UpstreamAttempts } from "./upstream-attempts.ts";

/** What becomes of a request, or an attempt at it, that takes too long. */
export abstract class AttemptTimeouts extends UpstreamAttempts {
  override onRequestTimeout(): void {
    this.#onTimeout("response_timeout");
  }

  override onStreamDuration(): void {
    const attempt = this.attempt;
    if (attempt === undefined || this.cluster === undefined) return;
    this.cluster.stats.upstream_rq_max_duration_reached++;
    const policy = this.plan?.retry;
    if (!this.responseStarted) {
      this.cancelAttempt(attempt);
      this.timedOut = false;
      if (policy !== undefined && retriesReset(policy, "local reset", true) && this.tryAgain(attempt.host)) return;
    }
    this.stream.sendLocalReply({
      status: this.requestEnded ? 504 : 408,
      body: "upstream max stream duration reached",
      details: "upstream_max_stream_duration_reached",
      flag: "UMSDR",
    });
  }

  override onAttemptTimeout(details: string): void {
    const attempt = this.attempt;
    const policy = this.plan?.retry;
    if (attempt === undefined || policy === undefined || this.cluster === undefined) return;
    if (details === "upstream_per_try_timeout") this.cluster.stats.upstream_rq_per_try_timeout++;
    else this.cluster.stats.upstream_rq_per_try_idle_timeout++;
    attempt.host.monitor?.onTimeout();
    if (!this.responseStarted) {
      this.cancelAttempt(attempt);
      this.timedOut = true;
      if (retriesReset(policy, "local reset", true) && this.tryAgain(attempt.host)) return;
    }
    this.#onTimeout(details);
  }

  #onTimeout(details: string): void {
    if (this.cluster === undefined) return;
    if (details === "response_timeout") {
      this.cluster.stats.upstream_rq_timeout++;
      this.countVirtual("upstream_rq_timeout");
      this.attempt?.host.monitor?.onTimeout();
    }
    const { info } = this.stream;
    if (this.responseStarted) {
      info.flag("UT");
      info.details = details;
      this.stream.resetStream();
      return;
    }
    if (this.plan?.altResponse === true) {
      this.stream.sendLocalReply({ status: 204, body: "", details, flag: "UT" });
      return;
    }
    this.countStatus(504);
    this.stream.sendLocalReply({ status: 504, body: "upstream request timeout", details, flag: "UT" });
  }
}
