/** CPU time of one operation, in nanoseconds: the least of several rounds, so that other work on the machine shows least. */
export function cpuNsOf(operations: number, run: (operations: number) => void, rounds = 7): number {
  run(operations);
  let leastUs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    run(operations);
    const { user, system } = process.cpuUsage(before);
    leastUs = Math.min(leastUs, user + system);
  }
  return (leastUs * 1000) / operations;
}

/** One line a measurement, to be compared by eye. */
export function report(what: string, ns: number): void {
  process.stdout.write(`${what.padEnd(72)} ${ns.toFixed(1).padStart(9)} ns\n`);
}
