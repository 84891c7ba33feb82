/** Ends the process at a signal in a way that its `exit` handlers run: they stop what it has started. */
export function endAtSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
