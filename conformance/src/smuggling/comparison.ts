import { RecordingHost } from "@fairlead/proxy-runtime/testing/recording-host";
import { type HostileRow, smugglingRows } from "@fairlead/proxy-runtime/testing/smuggling-rows";
import { fairlead, installedPeers, type PeerProxy } from "./peer-proxies.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** Whether our own verdict is what the table says. */
function holds(row: HostileRow, verdict: Verdict): boolean {
  if (row.refused !== undefined) return verdict.statuses === String(row.refused) && verdict.requests === 0;
  return /^200( 200)+$/.test(verdict.statuses);
}

/** What a verdict comes to: two 4xx are the same decision. */
function decision(verdict: Verdict): string {
  return verdict.statuses.replaceAll(/\b[45]\d\d\b/g, "refused");
}

/**
 * Sends each hostile row through Fairlead and the peers that are installed, to a lenient host, and prints where they differ.
 *
 * @returns rows that our own proxy decided as the table says, and those that it did not
 */
export async function compareSmuggling(): Promise<{ readonly passed: number; readonly failed: number }> {
  await using host = await RecordingHost.start("lenient");
  await using ours = await fairlead(host.port);
  // Of their own: a peer that waits for more of a request may pass it on while the next row is tried.
  await using peersHost = await RecordingHost.start("lenient");
  const peers = await installedPeers(peersHost.port);
  let passed = 0;
  let failed = 0;
  const same = new Map(peers.map(({ name }) => [name, 0]));
  try {
    for (const row of smugglingRows) {
      const verdict = await verdictOf(row, ours.port, host);
      if (holds(row, verdict)) passed++;
      else {
        failed++;
        process.stdout.write(`FAILED  ${row.name}: ${verdict.statuses}\n`);
      }
      const others = await differences(row, verdict, peers, peersHost, same);
      if (others.length > 0) process.stdout.write(`  ${row.name}: ${verdict.statuses}; ${others.join("; ")}\n`);
    }
  } finally {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  }
  for (const [name, count] of same) process.stdout.write(`${name} decides ${count} of ${smugglingRows.length} alike\n`);
  if (peers.length === 0) process.stdout.write("neither HAProxy nor nginx is installed: nothing to compare with\n");
  return { passed, failed };
}

async function differences(
  row: HostileRow,
  ours: Verdict,
  peers: readonly PeerProxy[],
  host: RecordingHost,
  same: Map<string, number>,
): Promise<string[]> {
  const found: string[] = [];
  for (const peer of peers) {
    const theirs = await verdictOf(row, peer.port, host);
    if (decision(theirs) === decision(ours)) same.set(peer.name, (same.get(peer.name) ?? 0) + 1);
    else found.push(`${peer.name} ${theirs.statuses} (the host read ${theirs.requests})`);
  }
  return found;
}
