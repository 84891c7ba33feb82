import type { SecureContext, TLSSocket } from "node:tls";

/**
 * The last session of each host whose certificate was found to be right, by the context that it was made with: with other
 * certificates a host is to be asked anew. A resumed connection shows no certificate: who could resume it has shown it before.
 */
const sessions = new WeakMap<SecureContext, Map<string, Buffer>>();
/** Hosts come and go; those that are called are here. */
const MAX_HOSTS = 10_000;

export function lastSession(context: SecureContext, host: string): Buffer | undefined {
  return sessions.get(context)?.get(host);
}

/**
 * Keeps what the host gives for the next connection to it.
 *
 * @returns to be called when the host's certificate was found to be right: nothing is kept before
 */
export function keepSessions(socket: TLSSocket, context: SecureContext, host: string): () => void {
  let verified = false;
  let last: Buffer | undefined;
  const keep = (session: Buffer): void => {
    const byHost = sessions.get(context) ?? new Map<string, Buffer>();
    sessions.set(context, byHost);
    if (byHost.size >= MAX_HOSTS && !byHost.has(host)) byHost.clear();
    byHost.set(host, session);
  };
  socket.on("session", (session: Buffer) => {
    if (verified) keep(session);
    else last = session;
  });
  return () => {
    verified = true;
    if (last !== undefined) keep(last);
  };
}

export function forgetSession(context: SecureContext, host: string): void {
  sessions.get(context)?.delete(host);
}
