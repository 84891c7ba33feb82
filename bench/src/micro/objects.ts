/** Whether to keep JavaScript objects for another use: `node bench/src/micro/objects.ts`. */
import { readCommandLine } from "@fairlead/lifecycle";
import { ObjectPool } from "@fairlead/pool";
import { cpuNsOf, report } from "./measure.ts";

readCommandLine({ usage: "node bench/src/micro/objects.ts\nWhether to keep JavaScript objects for another use." });

/** As large as what is made for a request: a dozen fields, an array, a map that is mostly empty. */
class Request {
  id = 0;
  method = "";
  path = "";
  status = 0;
  bytes = 0;
  flags = 0;
  startMs = 0;
  endMs = 0;
  head: object | undefined;
  route: object | undefined;
  onEnd: (() => void) | undefined;
  readonly headers: string[] = [];

  begin(id: number): this {
    this.id = id;
    this.method = "GET";
    this.path = "/a/path";
    this.headers.push("host", "a", "accept", "*/*");
    return this;
  }

  clear(): void {
    this.id = 0;
    this.method = "";
    this.path = "";
    this.status = 0;
    this.bytes = 0;
    this.flags = 0;
    this.startMs = 0;
    this.endMs = 0;
    this.head = undefined;
    this.route = undefined;
    this.onEnd = undefined;
    this.headers.length = 0;
  }
}

const OPERATIONS = 500_000;
let sum = 0;

/** Requests live until so many others have come: some are under way at any time. */
for (const underWay of [1, 100, 5000]) {
  report(
    `new, ${underWay} under way`,
    cpuNsOf(OPERATIONS, (n) => {
      const live: Request[] = Array.from({ length: underWay }, () => new Request());
      for (let i = 0; i < n; i++) {
        const request = new Request().begin(i);
        sum += request.headers.length;
        live[i % underWay] = request;
      }
    }),
  );
  const pool = new ObjectPool<Request>({
    name: "requests",
    create: () => new Request(),
    reset(request) {
      request.clear();
      return true;
    },
    maxFree: 10_000,
  });
  report(
    `object pool, ${underWay} under way`,
    cpuNsOf(OPERATIONS, (n) => {
      const live = Array.from({ length: underWay }, () => pool.take());
      for (let i = 0; i < n; i++) {
        pool.give(live[i % underWay]!);
        const request = pool.take().begin(i);
        sum += request.headers.length;
        live[i % underWay] = request;
      }
      for (const request of live) pool.give(request);
    }),
  );
  const free: Request[] = [];
  report(
    `bare list without checks, ${underWay} under way`,
    cpuNsOf(OPERATIONS, (n) => {
      const live: Request[] = Array.from({ length: underWay }, () => free.pop() ?? new Request());
      for (let i = 0; i < n; i++) {
        const done = live[i % underWay]!;
        done.clear();
        free.push(done);
        const request = (free.pop() ?? new Request()).begin(i);
        sum += request.headers.length;
        live[i % underWay] = request;
      }
      free.push(...live);
    }),
  );
}
if (sum === 0) throw new Error("nothing was done");
