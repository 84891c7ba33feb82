import type { BusMessage } from "@fairlead/bus";
import type { JsMsg } from "@nats-io/jetstream";
import { headers, type MsgHdrs } from "@nats-io/transport-node";

const revisionHeader = "Fairlead-Revision";
const traceparentHeader = "traceparent";

export function headersOf(message: BusMessage, traceparent: string | undefined): MsgHdrs {
  const written = headers();
  written.set(revisionHeader, String(message.revision));
  if (traceparent !== undefined) written.set(traceparentHeader, traceparent);
  return written;
}

/** A message that another program put on the subject has no headers: it is about no revision. */
export function busMessageOf(message: JsMsg): BusMessage {
  const revision = Number(message.headers?.get(revisionHeader) ?? 0);
  const traceparent = message.headers?.get(traceparentHeader) ?? "";
  return {
    subject: message.subject,
    // A copy: the client library's buffer is shared by all messages of one read from the socket.
    data: message.data.slice(),
    revision: Number.isSafeInteger(revision) && revision >= 0 ? revision : 0,
    traceparent: traceparent === "" ? undefined : traceparent,
  };
}
