/** `node echo.ts PORT bolt|dubbo`: answers each call with a frame of the same length. */
import { createServer } from "node:net";
import { FrameCollector } from "@fairlead/codec-rpc";
import { benchProtocols } from "./frames.ts";

const [port, name] = process.argv.slice(2);
const { protocol, answer } = benchProtocols[name === "bolt" ? "bolt" : "dubbo"];
createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  const collector = new FrameCollector(protocol);
  socket.on("data", (chunk: Buffer) => {
    const answers: Buffer[] = [];
    collector.execute(chunk, (bytes) => {
      const { idHigh, idLow, kind } = protocol.frameOf(bytes);
      if (kind !== "request") return;
      const one = Buffer.from(answer);
      protocol.setId(one, idHigh, idLow);
      answers.push(one);
    });
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
}).listen(Number(port), "127.0.0.1");
