import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { dubboFrames } from "@fairlead/codec-dubbo";
import { FrameCollector } from "@fairlead/codec-rpc";

/** What Dubbo 3.3.6 for Java answered to getMetadataInfo, in Hessian 2.0: the application `shop` with org.x.Greeter:1.0.0. */
const recordedReply = Buffer.from(
  "2rsCFAAAAAAAAAABAAACfpRDMCZvcmcuYXBhY2hlLmR1YmJvLm1ldGFkYXRhLk1ldGFkYXRhSW5mb5MIc2VydmljZXMIcmV2aXNpb24DYXBwYE0wJmphdmEudXRpbC5jb25jdXJyZW50LkNvbmN1cnJlbnRIYXNoTWFwGW9yZy54LkdyZWV0ZXI6MS4wLjA6ZHViYm9DMDJvcmcuYXBhY2hlLmR1YmJvLm1ldGFkYXRhLk1ldGFkYXRhSW5mbyRTZXJ2aWNlSW5mb5cGcGFyYW1zBHBhdGgEcG9ydAhwcm90b2NvbAd2ZXJzaW9uBWdyb3VwBG5hbWVhSARzaWRlCHByb3ZpZGVyB3JlbGVhc2UFMy4zLjYHbWV0aG9kcxJkZXRhaWxzLGZhaWwsZ3JlZXQKZGVwcmVjYXRlZAVmYWxzZQVkdWJibwUyLjAuMglpbnRlcmZhY2UNb3JnLnguR3JlZXRlchRzZXJ2aWNlLW5hbWUtbWFwcGluZwR0cnVlB3ZlcnNpb24FMS4wLjAHZ2VuZXJpYwVmYWxzZQhyZXZpc2lvbgUxLjAuMA1zZXJpYWxpemF0aW9uCGhlc3NpYW4yDW1ldGFkYXRhLXR5cGUFbG9jYWwLYXBwbGljYXRpb24Ec2hvcBRwcmVmZXIuc2VyaWFsaXphdGlvbghoZXNzaWFuMgdkeW5hbWljBHRydWUQUkVHSVNUUllfQ0xVU1RFUgdkZWZhdWx0Wg1vcmcueC5HcmVldGVy1FGQBWR1YmJvBTEuMC4wTg1vcmcueC5HcmVldGVyWjAgMzFhZjQxMGE4ZDA0ZTI4NWEyOWE5ZGJjMGNlODc4ZGUEc2hvcEgFZHViYm8FMi4wLjJa",
  "base64",
);
export const recordedRevision = "31af410a8d04e285a29a9dbc0ce878de";

/** A port that answers each Dubbo call with what a Java provider once answered. */
export interface MetadataProvider {
  readonly port: number;
  /** The frames that it was sent. */
  readonly asked: readonly Buffer[];
  stop(): Promise<void>;
}

/** @param refusals connections that it closes before it answers one */
export async function startMetadataProvider(refusals = 0): Promise<MetadataProvider> {
  const asked: Buffer[] = [];
  const sockets = new Set<Socket>();
  let left = refusals;
  const server = createServer((socket) => {
    if (left-- > 0) return socket.destroy();
    sockets.add(socket.on("error", () => undefined));
    const frames = new FrameCollector(dubboFrames);
    return socket.on("data", (chunk: Buffer) =>
      frames.execute(chunk, (frame) => {
        asked.push(Buffer.from(frame));
        socket.write(recordedReply);
      }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  return {
    port: address.port,
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
