import type { Transform } from "node:stream";
import type { HeaderMap } from "@fairlead/proxy-stream";
import { type BodyOutput, type BodyTransform, TransformedBody } from "./transformed-body.ts";

/** All that changes the body of one response, in the order in which its filters see it. */
export class ResponseTransforms {
  readonly #output: BodyOutput;
  readonly #stages: TransformedBody[] = [];

  /** @param output gets what the last of them makes */
  constructor(output: BodyOutput) {
    this.#output = output;
  }

  add(transform: Transform | BodyTransform): void {
    const next = this.#stages.length + 1;
    const output = this.#output;
    const stage = new TransformedBody(transform, {
      onTransformedData: (chunk, endStream) => {
        const following = this.#stages[next];
        if (following === undefined) output.onTransformedData(chunk, endStream);
        else following.write(chunk, endStream);
      },
      onTransformedTrailers: (trailers) => {
        const following = this.#stages[next];
        if (following === undefined) output.onTransformedTrailers(trailers);
        else following.end(trailers);
      },
      onTransformFailure: () => output.onTransformFailure(),
      onTransformBlocked: () => output.onTransformBlocked(this.#stages.some(({ blocked }) => blocked)),
    });
    this.#stages.push(stage);
  }

  write(chunk: Buffer, endStream: boolean): void {
    this.#stages[0]?.write(chunk, endStream);
  }

  end(trailers: HeaderMap): void {
    this.#stages[0]?.end(trailers);
  }

  destroy(): void {
    for (const stage of this.#stages) stage.destroy();
  }
}
