import { readFile } from "node:fs/promises";
import { buffer as readAll } from "node:stream/consumers";
import { FairleadError } from "@fairlead/errors";
import { policyTextOf } from "@fairlead/registration";
import "../errors.ts";

/** A file of policies, and how messages and provenance name it. */
export interface PolicyFile {
  readonly text: string;
  readonly name: string;
}

/** @param file `-` reads `input` @throws FairleadError FL_CLI_FILE */
export async function readPolicyFile(file: string, input: NodeJS.ReadableStream): Promise<PolicyFile> {
  if (file === "-") return decoded(await readAll(input as NodeJS.ReadStream), "stdin");
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new FairleadError("FL_CLI_FILE", `cannot read ${file}: ${(cause as Error).message}`, {
      facts: { file },
      cause,
    });
  }
  return decoded(bytes, file);
}

function decoded(bytes: Buffer, name: string): PolicyFile {
  const read = policyTextOf(bytes);
  if ("text" in read) return { text: read.text, name };
  throw new FairleadError("FL_CLI_FILE", `${name}:${read.brokenLine}: the line is not UTF-8; save the file as UTF-8`, {
    facts: { file: name },
  });
}
