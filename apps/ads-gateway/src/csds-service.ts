import { fromBinary } from "@bufbuild/protobuf";
import {
  type ClientStatusRequest,
  ClientStatusRequestSchema,
} from "@fairlead/envoy-api/envoy/service/status/v3/csds_pb.js";
import { FairleadError } from "@fairlead/errors";
import type { sendUnaryData, Server, ServerDuplexStream, ServerUnaryCall, ServiceDefinition } from "@grpc/grpc-js";
import type { PeerIdentity } from "./authenticate.ts";
import type { ClientStatus } from "./csds.ts";
import { grpcStatusOf } from "./grpc-status.ts";

type Received = ClientStatusRequest | FairleadError;
type StreamCall = ServerDuplexStream<Received, Buffer>;
type FetchCall = ServerUnaryCall<Received, Buffer>;

export interface CsdsOptions {
  readonly status: ClientStatus;
  /** The door that all streams come through. @throws FairleadError when the peer is refused */
  readonly identify: (call: StreamCall | FetchCall) => PeerIdentity;
  /** A stream has begun: its connection is in use. */
  readonly onStream: (call: StreamCall) => void;
}

const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";

/** Never throws: gRPC would answer INTERNAL, and it is the client's fault. */
function decode(bytes: Buffer): Received {
  try {
    return fromBinary(ClientStatusRequestSchema, bytes);
  } catch (cause) {
    const message = `a message of ${bytes.byteLength} bytes is no ClientStatusRequest`;
    return new FairleadError("FL_XDS_MALFORMED", message, { cause });
  }
}

const codec = {
  requestDeserialize: decode,
  requestSerialize: () => Buffer.alloc(0),
  responseSerialize: (response: Buffer) => response,
  responseDeserialize: (response: Buffer) => response,
};

const definition = {
  StreamClientStatus: { path: `${service}/StreamClientStatus`, requestStream: true, responseStream: true, ...codec },
  FetchClientStatus: { path: `${service}/FetchClientStatus`, requestStream: false, responseStream: false, ...codec },
} satisfies ServiceDefinition;

/** CSDS: each request on a stream is answered once. */
export function addClientStatusService(server: Server, { status, identify, onStream }: CsdsOptions): void {
  const answer = (received: Received, identity: PeerIdentity): Buffer => {
    if (received instanceof FairleadError) throw received;
    return status.answer(received, identity);
  };
  server.addService(definition, {
    StreamClientStatus(call: StreamCall) {
      onStream(call);
      const guarded = (work: () => void) => {
        try {
          work();
        } catch (caught) {
          call.emit("error", grpcStatusOf(FairleadError.from(caught)));
        }
      };
      call.on("error", () => undefined);
      guarded(() => {
        const identity = identify(call);
        call.on("data", (received: Received) => guarded(() => call.write(answer(received, identity))));
        call.on("end", () => call.end());
      });
    },
    FetchClientStatus(call: FetchCall, done: sendUnaryData<Buffer>) {
      try {
        done(null, answer(call.request, identify(call)));
      } catch (caught) {
        done(grpcStatusOf(FairleadError.from(caught)));
      }
    },
  });
}
