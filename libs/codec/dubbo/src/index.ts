export { dubboProtocol } from "./dubbo-protocol.ts";
