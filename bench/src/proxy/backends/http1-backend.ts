/** `node backend.ts <port> <bytes>`: answers each GET with a body of that size, at as little cost as node:net allows. */
import { createServer } from "node:net";

const [port, bytes] = process.argv.slice(2).map(Number);
const body = "x".repeat(bytes!);
const answer = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${bytes}\r\n\r\n${body}`);
const headEnd = Buffer.from("\r\n\r\n");

createServer((socket) => {
  socket.setNoDelay(true);
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(headEnd); end !== -1; end = rest.indexOf(headEnd)) {
      rest = rest.subarray(end + headEnd.length);
      socket.write(answer);
    }
  });
  socket.on("error", () => socket.destroy());
}).listen(port, "127.0.0.1");
