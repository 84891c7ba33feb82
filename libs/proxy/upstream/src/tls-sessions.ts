import type { SecureContext, TLSSocket } from "node:tls";

/** The last session of each host, by the context that it was made with: with other certificates a host is to be asked anew. */
const sessions = new WeakMap<SecureContext, Map<string, Buffer>>();
/** Hosts come and go; those that are called are here. */
const MAX_HOSTS = 10_000;

export function lastSession(context: SecureContext, host: string): Buffer | undefined {
  return sessions.get(context)?.get(host);
}

/** Keeps what the host gives for the next connection to it. */
export function keepSessions(socket: TLSSocket, context: SecureContext, host: string): void {
  socket.on("session", (session: Buffer) => {
    const byHost = sessions.get(context) ?? new Map<string, Buffer>();
    sessions.set(context, byHost);
    if (byHost.size >= MAX_HOSTS && !byHost.has(host)) byHost.clear();
    byHost.set(host, session);
  });
}

export function forgetSession(context: SecureContext, host: string): void {
  sessions.get(context)?.delete(host);
}
