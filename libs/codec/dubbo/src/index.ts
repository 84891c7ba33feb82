export { dubboProtocol } from "./dubbo-protocol.ts";
export { type DubboRequest, dubboFrames, dubboRequest, readDubboReply } from "./request.ts";
