/**
 * Loaded before the main module of every process that `fairlead up` starts (`--import`): ends the process as SIGTERM would when
 * `up` has gone, also when it was killed. The channel to `up` closes with it, whatever the reason.
 */
const stopDeadlineMs = 15_000;

function endSoon(): void {
  setTimeout(() => process.exit(1), stopDeadlineMs).unref();
  process.kill(process.pid, "SIGTERM");
}

if (process.connected) {
  process.once("disconnect", endSoon);
  process.channel?.unref(); // a process that has nothing else to do may end
} else if (process.send !== undefined) {
  endSoon();
}
