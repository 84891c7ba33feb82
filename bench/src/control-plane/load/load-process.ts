/** The load client's process: does what its parent asks for, and ends with it. */
import { Load } from "./load.ts";
import type { LoadAnswer, LoadOperations, LoadRequest } from "./protocol.ts";

let load: Load | undefined;

function opened(): Load {
  if (load === undefined) throw new Error("no load is open");
  return load;
}

type Asynchronous<Operation> = Operation extends (request: infer Request) => infer Result
  ? (request: Request) => Result | Promise<Result>
  : never;

const operations: { readonly [Name in keyof LoadOperations]: Asynchronous<LoadOperations[Name]> } = {
  open: async ({ deadlineMs, ...size }) => {
    load = new Load(size);
    return await load.open(deadlineMs);
  },
  expect: ({ marker, mark, atMs }) => {
    opened().arrivals.expect(marker, mark, atMs);
    return null;
  },
  everywhere: async ({ marker, mark, deadlineMs }) =>
    await opened().arrivals.everywhere(marker, mark, opened().good, deadlineMs),
  summary: () => opened().arrivals.summary(opened().good),
  state: () => {
    const { user, system } = process.cpuUsage();
    const { good, counters } = opened();
    return { good, counters: Object.assign({}, counters), marks: opened().marks(), cpuSeconds: (user + system) / 1e6 };
  },
  close: () => {
    load?.close();
    load = undefined;
    return null;
  },
};

async function perform({ id, operation, request }: LoadRequest): Promise<void> {
  let answer: LoadAnswer;
  try {
    answer = { id, result: await operations[operation](request as never) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer);
}

process.on("message", (message) => void perform(message as LoadRequest));
process.on("disconnect", () => process.exit());
