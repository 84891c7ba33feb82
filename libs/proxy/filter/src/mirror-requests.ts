import type { ForwardAction } from "@fairlead/proxy-router";
import type { HeaderMap, RequestHead } from "@fairlead/proxy-stream";
import { MirrorRequest } from "./mirror-request.ts";

type StartContext = Parameters<typeof MirrorRequest.start>[5];
type ClientProtocol = Parameters<typeof MirrorRequest.start>[4];

/** The copies of one request; mostly there are none, and then this is nothing to make. */
export class MirrorRequests {
  readonly #copies: readonly MirrorRequest[];

  private constructor(copies: readonly MirrorRequest[]) {
    this.#copies = copies;
  }

  /** @returns undefined when none is to be made */
  static start(
    mirrors: ForwardAction["mirrors"],
    head: RequestHead,
    requestEnded: boolean,
    timeoutMs: number,
    protocol: ClientProtocol,
    context: StartContext,
  ): MirrorRequests | undefined {
    const copies = (mirrors ?? []).flatMap(
      (mirror) => MirrorRequest.start(mirror, head, requestEnded, timeoutMs, protocol, context) ?? [],
    );
    return copies.length === 0 ? undefined : new MirrorRequests(copies);
  }

  sendData(chunk: Buffer, endStream: boolean): void {
    for (const copy of this.#copies) copy.sendData(chunk, endStream);
  }

  sendTrailers(trailers: HeaderMap): void {
    for (const copy of this.#copies) copy.sendTrailers(trailers);
  }

  /** The request is over. A copy whose request was cut off is worth nothing; one that is complete may take its time. */
  end(): void {
    for (const copy of this.#copies) if (!copy.requestEnded) copy.destroy();
  }
}
