import { connect } from "node:net";
import { dubboFrames, dubboRequest, readDubboReply } from "@fairlead/codec-dubbo";
import { FrameCollector } from "@fairlead/codec-rpc";
import { type ApplicationMetadata, type MetadataService, readApplicationMetadata } from "@fairlead/dubbo-registry";

export interface MetadataQuestion {
  readonly service: MetadataService;
  /** The group that each application has its own MetadataService under. */
  readonly application: string;
  readonly revision: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

const metadataService = "org.apache.dubbo.metadata.MetadataService";
const requestId = 1;

/**
 * Asks an instance itself what it serves, as consumers do: a Dubbo call of its MetadataService over a connection of its own.
 *
 * @throws Error where it cannot be reached, does not answer in time, or has another revision
 */
export function fetchMetadata({
  service,
  application,
  revision,
  timeoutMs,
}: MetadataQuestion): Promise<ApplicationMetadata> {
  const { address, port, version } = service;
  const frames = new FrameCollector(dubboFrames);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const end = (error: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const timer = setTimeout(
      () => end(new Error(`no metadata from ${address}:${port} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.on("error", end);
    socket.on("close", () =>
      end(new Error(`${address}:${port} closed the connection before it had told its metadata`)),
    );
    socket.on("connect", () => {
      const attachments = { path: metadataService, interface: metadataService, version, group: application };
      const call = { id: requestId, path: metadataService, version, method: "getMetadataInfo", args: [revision], attachments }; // prettier-ignore
      socket.write(dubboRequest(call));
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        frames.execute(chunk, (frame) => {
          const reply = readDubboReply(frame, requestId);
          if (reply === undefined) return;
          const metadata = readApplicationMetadata(plain(reply.value));
          if (metadata === undefined) throw new Error(`${address}:${port} has no metadata of revision ${revision}`);
          clearTimeout(timer);
          socket.removeAllListeners("close").destroy();
          resolve(metadata);
        });
      } catch (error) {
        end(error);
      }
    });
  });
}

/** A value as JSON would have it. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
