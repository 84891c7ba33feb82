/** `node fairlead.ts <port> <backend port>`: the sidecar's data plane for one HTTP service, with its default retries. */
import { runProxyOfOneService } from "./proxy-of-one-service.ts";

const [port, backendPort] = process.argv.slice(2).map(Number);
await runProxyOfOneService("http", { outboundPort: port }, backendPort!);
