import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { FairleadError } from "@fairlead/errors";
import "../errors.ts";

/** A file of policies, and how messages and provenance name it. */
export interface PolicyFile {
  readonly text: string;
  readonly name: string;
}

/** @param file `-` reads `input` @throws FairleadError FL_CLI_FILE */
export async function readPolicyFile(file: string, input: NodeJS.ReadableStream): Promise<PolicyFile> {
  if (file === "-") return { text: await readAll(input as NodeJS.ReadStream), name: "stdin" };
  try {
    return { text: await readFile(file, "utf8"), name: file };
  } catch (cause) {
    throw new FairleadError("FL_CLI_FILE", `cannot read ${file}: ${(cause as Error).message}`, {
      facts: { file },
      cause,
    });
  }
}
