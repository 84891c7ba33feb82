import { declareErrors } from "@fairlead/errors";

export const rpcErrors = declareErrors("codec-rpc", {
  FL_RPC_MALFORMED: {
    httpStatus: 400,
    meaning: "Bytes on a connection are not frames of the RPC protocol that the connection speaks.",
    action:
      "The message names the protocol, the field and its value. Look for a client of another protocol on this port; the connection is closed because its framing is lost.",
  },
  FL_RPC_TOO_LARGE: {
    httpStatus: 413,
    meaning: "An RPC frame says that it is longer than the limit.",
    action: "Send less in one call, or raise the limit of the listener. It is 8 MiB unless set, as Dubbo's `payload`.",
  },
  FL_RPC_BODY_UNREADABLE: {
    httpStatus: 400,
    meaning:
      "A call's body is not what its frame says, so that its service and method are not known. Only the call fails, the connection goes on.",
    action: "Look at the serialization that the client is configured with; the message names what was expected.",
  },
});
