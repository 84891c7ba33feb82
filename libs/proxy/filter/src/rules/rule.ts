import type { HeaderMap, RequestHead } from "@fairlead/proxy-stream";
import type { LocalReply } from "../local-reply.ts";
import type { StreamInfo } from "../stream-info.ts";

/** What a listener does to every request before its route is looked for. @returns an answer, where the request goes no further */
export type RequestRule = (head: RequestHead, info: StreamInfo) => LocalReply | undefined;

/** What a listener does to the head of every response, the proxy's own too. */
export type ResponseRule = (headers: HeaderMap, info: StreamInfo) => void;
