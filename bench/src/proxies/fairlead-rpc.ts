/** `node fairlead-rpc.ts <port> <backend port> bolt|dubbo`: the sidecar's data plane for one RPC service. */
import { runProxyOfOneService } from "./proxy-of-one-service.ts";

const [port, backendPort] = process.argv.slice(2, 4).map(Number);
await runProxyOfOneService(process.argv[4] === "bolt" ? "bolt" : "dubbo", { outboundRpcPort: port }, backendPort!);
