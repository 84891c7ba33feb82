import { readFileSync } from "node:fs";
import { FreePorts } from "./free-ports.ts";

/** The first port that the kernel gives to outgoing connections. */
function firstEphemeralPort(): number | undefined {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return undefined;
  }
}

const ports = new FreePorts(firstEphemeralPort());

/**
 * A TCP port of 127.0.0.1 that nobody listens on, and that the kernel gives to no outgoing connection, so that a server
 * can be started on it again and again. No port is given twice in a process.
 */
export async function freePort(): Promise<number> {
  return await ports.take();
}
