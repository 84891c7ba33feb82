import { connect } from "node:net";
import { dubboFrames, dubboRequest, readDubboReply } from "@fairlead/codec-dubbo";
import { FrameCollector } from "@fairlead/codec-rpc";
import { type ApplicationMetadata, type MetadataService, readApplicationMetadata } from "@fairlead/dubbo-registry";
import { isCallable } from "./mirrored-instance.ts";

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
/** As long as a node of ZooKeeper may be. */
const limits = { maxFrameBytes: 1024 * 1024 };
/** What a registry puts into a question stays one line: nothing else that listens there can be told anything. */
const harmless = /^\P{Cc}{1,255}$/u;

/**
 * Asks an instance itself what it serves, as consumers do: a Dubbo call of its MetadataService over a connection of its own.
 *
 * @throws Error where it may not or cannot be reached, does not answer in time, or has another revision
 */
export function fetchMetadata({
  service,
  application,
  revision,
  timeoutMs,
}: MetadataQuestion): Promise<ApplicationMetadata> {
  const { address, port, version } = service;
  if (!isCallable(address))
    return Promise.reject(new Error(`${address} is no address that a registry may send anybody to`));
  if (![application, revision, version].every((text) => harmless.test(text)))
    return Promise.reject(new Error("its application, revision or version is no name"));
  const frames = new FrameCollector(dubboFrames, limits);
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
