export { boltProtocol } from "./bolt-protocol.ts";
