/** So long a page may be made at a stretch, in milliseconds: then it is the turn of the calls that the thread serves. */
const TURN_MS = 5;

/**
 * The pieces of a long page, with the event loop's other work between them, also when the reader takes all at once. An empty piece is
 * not passed on: it only says that some work is done.
 */
export async function* inTurns(
  pieces: Iterable<string>,
  now: () => number = () => performance.now(),
): AsyncIterable<string> {
  let beganMs = now();
  for (const piece of pieces) {
    if (piece !== "") yield piece;
    if (now() - beganMs < TURN_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    beganMs = now();
  }
}
