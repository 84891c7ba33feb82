export { connectNats, type ConnectNatsOptions } from "./connect-nats.ts";
