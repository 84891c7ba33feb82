import { setTimeout as pause } from "node:timers/promises";

/** What the sidecar answers at /pub, /unpub and /sub. */
interface Answer {
  readonly err_no: number;
  readonly err_msg?: string;
  readonly code?: string;
  readonly message?: string;
  readonly revision?: number;
}

/** The sidecar understood the request and will not do it: asking again does not help. */
export class RegistrationRefused extends Error {
  override readonly name = "RegistrationRefused";
}

const firstPauseMs = 50;
const longestPauseMs = 1000;

export interface RegistrationOptions {
  readonly sidecarApi: URL;
  readonly log: (message: string, facts: object) => void;
}

/** A service as this process serves it. */
export interface Served {
  readonly name: string;
  readonly port: number;
  /** @default "http" */
  readonly protocol?: string;
}

/** What an application says to the sidecar beside it. */
export class Registration {
  readonly #options: RegistrationOptions;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /**
   * Says what this process serves. Asks until the sidecar and the control plane behind it answer; resolves when
   * callers are sent here.
   *
   * @throws RegistrationRefused
   */
  async publish(
    { name, port, protocol = "http" }: Served,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask("/pub?wait=converged&timeout=10s", { interface: name, protocol, port, labels }, signal);
  }

  /** Says that this process calls `name`: its sidecar is sent the configuration for it, and only for what was named. */
  async subscribe(name: string, signal: AbortSignal, protocol = "http"): Promise<void> {
    await this.#ask("/sub", { interface: name, protocol }, signal);
  }

  /** Resolves when nobody sends calls here any more. One try: whoever stops must not wait for a sidecar that has gone. */
  async withdraw({ name, port, protocol = "http" }: Served, timeoutMs: number): Promise<void> {
    const url = `/unpub?wait=converged&timeout=${timeoutMs}ms`;
    await this.#post(url, { interface: name, protocol, port }, AbortSignal.timeout(timeoutMs + 1000));
  }

  async #ask(path: string, service: object, signal: AbortSignal): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#post(path, service, signal);
        return;
      } catch (error) {
        if (error instanceof RegistrationRefused || signal.aborted) throw error;
        this.#options.log("registration to be repeated", { path, reason: (error as Error).message, pauseMs });
      }
      await pause(pauseMs, undefined, { signal });
    }
  }

  async #post(path: string, service: object, signal: AbortSignal): Promise<void> {
    const response = await fetch(new URL(path, this.#options.sidecarApi), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service }),
      signal,
    });
    const answer = (await response.json()) as Answer;
    if (response.ok && answer.err_no === 0) {
      this.#options.log("registration", { path, service, revision: answer.revision });
      return;
    }
    const problem = `${path} answered ${response.status} ${answer.code ?? ""}: ${answer.message ?? answer.err_msg ?? ""}`;
    if (response.status >= 400 && response.status < 500) throw new RegistrationRefused(problem);
    throw new Error(problem);
  }
}
