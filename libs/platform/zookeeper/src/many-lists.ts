import { FairleadError } from "@fairlead/errors";
import type { Listed } from "./operations.ts";
import { isNoNode, refused } from "./zookeeper-error.ts";

/** Children by path: undefined of a node that is not there, an error of one that is refused. */
export type ManyLists = ReadonlyMap<string, readonly string[] | FairleadError | undefined>;

/** In one request: lists of 10,000 children with long names are still less than a frame may have. */
const listsPerRequest = 30;

/** A few requests for many lists. @param list what one request asks for, in the order of its answer */
export async function listTogether(
  paths: readonly string[],
  list: (paths: readonly string[]) => Promise<readonly Listed[]>,
): Promise<ManyLists> {
  const chunks = Array.from({ length: Math.ceil(paths.length / listsPerRequest) }, (_, index) =>
    paths.slice(index * listsPerRequest, (index + 1) * listsPerRequest),
  );
  const answers = await Promise.all(chunks.map(list));
  return new Map(paths.map((path, index) => [path, answerOf(path, answers[Math.floor(index / listsPerRequest)]![index % listsPerRequest]!)])); // prettier-ignore
}

export async function listOneByOne(
  paths: readonly string[],
  list: (path: string) => Promise<readonly string[] | undefined>,
): Promise<ManyLists> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await orRefusal(list(path))] as const)));
}

function answerOf(path: string, listed: Listed): readonly string[] | FairleadError | undefined {
  if (!("refusedWith" in listed)) return listed;
  // Of most interfaces two of three folders are not there: no error is made for these.
  return isNoNode(listed.refusedWith) ? undefined : refused(listed.refusedWith, "list", path);
}

async function orRefusal<Result>(running: Promise<Result>): Promise<Result | FairleadError> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof FairleadError && error.code === "FL_ZOOKEEPER_REFUSED") return error;
    throw error;
  }
}
