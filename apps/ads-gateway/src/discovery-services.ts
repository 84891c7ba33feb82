import { typeUrls } from "@fairlead/envoy-api";
import { DeltaStream, type DiscoveryStream, type DiscoveryStreamOptions, SotwStream } from "@fairlead/xds-stream";
import {
  type MethodDefinition,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { decodeDeltaRequest, decodeSotwRequest, type DiscoveryCall, type ReceivedMessage } from "./discovery-call.ts";

/** Makes the state of a stream that has begun. */
export type CreateStream = (options: DiscoveryStreamOptions) => DiscoveryStream;

/** A stream has begun. */
export type OnDiscoveryStream = (call: DiscoveryCall, createStream: CreateStream) => void;

type StreamMethod = MethodDefinition<ReceivedMessage, Buffer>;

const bytesAsTheyAre = {
  requestSerialize: () => Buffer.alloc(0),
  responseSerialize: (response: Buffer) => response,
  responseDeserialize: (response: Buffer) => response,
};

function streamMethod(path: string, requestDeserialize: (bytes: Buffer) => ReceivedMessage): StreamMethod {
  return { path, requestStream: true, responseStream: true, requestDeserialize, ...bytesAsTheyAre };
}

/** One service of one type; `methods` is how its methods are called. */
interface SingleTypeService {
  readonly service: string;
  readonly methods: string;
  readonly typeUrl: string;
}

const singleTypeServices: readonly SingleTypeService[] = [
  { service: "envoy.service.cluster.v3.ClusterDiscoveryService", methods: "Clusters", typeUrl: typeUrls.cluster },
  { service: "envoy.service.endpoint.v3.EndpointDiscoveryService", methods: "Endpoints", typeUrl: typeUrls.endpoint },
  { service: "envoy.service.listener.v3.ListenerDiscoveryService", methods: "Listeners", typeUrl: typeUrls.listener },
  { service: "envoy.service.route.v3.RouteDiscoveryService", methods: "Routes", typeUrl: typeUrls.route },
  { service: "envoy.service.secret.v3.SecretDiscoveryService", methods: "Secrets", typeUrl: typeUrls.secret },
];

/** The xDS services: the aggregated one and those of one type, each in both variants. */
export function addDiscoveryServices(server: Server, onStream: OnDiscoveryStream): void {
  const streams = (onlyType: string | undefined) => ({
    sotw: (call: DiscoveryCall) => onStream(call, (options) => new SotwStream({ ...options, onlyType })),
    delta: (call: DiscoveryCall) => onStream(call, (options) => new DeltaStream({ ...options, onlyType })),
  });
  const ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
  const { sotw, delta } = streams(undefined);
  server.addService(
    {
      StreamAggregatedResources: streamMethod(`${ads}/StreamAggregatedResources`, decodeSotwRequest),
      DeltaAggregatedResources: streamMethod(`${ads}/DeltaAggregatedResources`, decodeDeltaRequest),
    },
    { StreamAggregatedResources: sotw, DeltaAggregatedResources: delta },
  );
  for (const { service, methods, typeUrl } of singleTypeServices) {
    const ofType = streams(typeUrl);
    const definition: ServiceDefinition = {
      [`Stream${methods}`]: streamMethod(`/${service}/Stream${methods}`, decodeSotwRequest),
      [`Delta${methods}`]: streamMethod(`/${service}/Delta${methods}`, decodeDeltaRequest),
      [`Fetch${methods}`]: fetchMethod(`/${service}/Fetch${methods}`),
    };
    const implementation: UntypedServiceImplementation = {
      [`Stream${methods}`]: ofType.sotw,
      [`Delta${methods}`]: ofType.delta,
      [`Fetch${methods}`]: refuseFetch,
    };
    server.addService(definition, implementation);
  }
}

function fetchMethod(path: string): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes) => bytes,
    ...bytesAsTheyAre,
  };
}

/** Polling would be blind to ACKs, and with it convergence. */
function refuseFetch(_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  const details = "configuration is not fetched one by one here; use the Stream or Delta method of this service";
  answer({ code: status.UNIMPLEMENTED, details });
}
