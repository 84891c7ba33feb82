import { FairleadError } from "@fairlead/errors";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { unknownFieldReason } from "./known-fields.ts";
import { bracketDepth } from "./nesting.ts";
import { policyDocumentSchema } from "./policy-document.ts";
import type { TypedPolicy } from "./typed-policy.ts";
import "./errors.ts";

export interface ParsedPolicy {
  readonly object: PolicyObject;
  readonly typed: TypedPolicy;
}

export interface ParsedPolicies {
  readonly policies: readonly ParsedPolicy[];
}

const maxTextLength = 4 * 1024 * 1024;
const maxObjects = 1000;
const maxDepth = 10_000;
const maxProblems = 100;
/**
 * The parser compares each key of a map with all before it, and messages look their field up in it: a map of a hundred thousand keys would
 * stop the process for minutes. No policy has a map of three thousand.
 */
const maxKeyComparisons = 4_000_000;

interface Problem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

type Path = readonly PropertyKey[];

/** `spec.http[0].route[1].weight` */
function fieldOf(path: Path): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
    .join("");
}

/** The key of a map's entry, where `path` leads to one. */
function keyNode(document: Document, path: Path): unknown {
  const map: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  return isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))?.key : undefined;
}

/** Where the value at `path` stands; its key where the value is a block below it; the nearest thing above where it is missing. */
function positionOf(document: Document, path: Path, lines: LineCounter): { line: number; column: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const here = path.slice(0, length);
    const value: unknown = length === 0 ? document.contents : document.getIn(here, true);
    const node = length > 0 && !isScalar(value) ? (keyNode(document, here) ?? value) : value;
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0]);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
  }
  return { line: 1, column: 1 };
}

/** Whether two keys of a map are the same; gives up when there are too many to compare. */
function keyComparison(): (left: unknown, right: unknown) => boolean {
  let comparisons = 0;
  return (left, right) => {
    comparisons += 1;
    if (comparisons > maxKeyComparisons) throw new Error("a map has too many keys");
    return left === right || (isScalar(left) && isScalar(right) && left.value === right.value);
  };
}

/** A union's issue says little; that of the branch that came furthest says what is wrong. */
function* leaves(issues: readonly z.core.$ZodIssue[], above: Path = []): Generator<{ path: Path; message: string }> {
  for (const issue of issues) {
    const path = [...above, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) yield { path: [...path, key], message: unknownFieldReason(key) };
    } else if (issue.code === "invalid_union" && issue.errors.length > 0) {
      const branches = issue.errors.map((branch) => [...leaves(branch, path)]);
      yield* branches.toSorted((left, right) => deepest(right) - deepest(left) || left.length - right.length)[0]!;
    } else if (issue.code === "invalid_key") {
      for (const inner of issue.issues) yield { path, message: inner.message };
    } else {
      yield { path, message: issue.message };
    }
  }
}

function deepest(found: readonly { path: Path }[]): number {
  return Math.max(...found.map(({ path }) => path.length));
}

/**
 * Reads a file of policies: YAML or JSON, any number of documents.
 *
 * @param source.file how messages name the text
 * @throws FairleadError FL_POLICY_INVALID with every problem, in the order of the file
 */
export function parsePolicies(text: string, source: { readonly file: string }): ParsedPolicies {
  const file = source.file === "" ? "(input)" : source.file;
  const problems: Problem[] = [];
  const fail = (): never => {
    const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, maxProblems);
    const words = sorted.map(({ line, column, text: what }) => `${file}:${line}:${column} ${what}`);
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    throw new FairleadError("FL_POLICY_INVALID", `${words[0]}${more}`, { facts: { problems: words } });
  };
  const problem = (at: { line: number; column: number }, what: string) => problems.push({ ...at, text: what });

  if (text.length > maxTextLength) {
    problem({ line: 1, column: 1 }, `the text is longer than ${maxTextLength} characters; split it`);
    return fail();
  }
  if (bracketDepth(text) > maxDepth) {
    problem({ line: 1, column: 1 }, `more than ${maxDepth} brackets are open at once`);
    return fail();
  }
  const lines = new LineCounter();
  let documents: Document[] = [];
  try {
    documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: false,
      uniqueKeys: keyComparison(),
    });
  } catch (error) {
    // Also what the parser itself gives up at: a text of a million brackets exhausts its stack.
    problem({ line: 1, column: 1 }, `cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
    return fail();
  }
  if (documents.length > maxObjects) {
    problem({ line: 1, column: 1 }, `more than ${maxObjects} objects; split the file`);
    return fail();
  }
  const policies: ParsedPolicy[] = [];
  const seen = new Map<string, number>();
  for (const document of documents) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problem({ line, column: col }, error.message);
    }
    // A document of comments only, as a file that begins with `---` has.
    const { contents } = document;
    if (document.errors.length > 0 || contents === null || (isScalar(contents) && contents.value === null)) continue;
    const policy = readDocument(document, file, lines, problem);
    if (policy === undefined) continue;
    const key = policyKey(policy.object);
    const before = seen.get(key);
    if (before === undefined) seen.set(key, policy.object.line);
    else problem({ line: policy.object.line, column: 1 }, `${key} is there twice; the first is at line ${before}`);
    policies.push(policy);
  }
  if (problems.length === 0 && policies.length === 0) problem({ line: 1, column: 1 }, "there is no policy in the text");
  if (problems.length > 0) return fail();
  return { policies };
}

/** One object's YAML as a text of its own, with its comments, whatever stood around it in the file. */
function alone(document: Document): string {
  document.directives = undefined;
  return document.toString({ lineWidth: 0 });
}

function readDocument(
  document: Document,
  file: string,
  lines: LineCounter,
  problem: (at: { line: number; column: number }, what: string) => void,
): ParsedPolicy | undefined {
  const start = positionOf(document, [], lines);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 0 });
  } catch {
    problem(start, "aliases (*name) are not taken: write the value out");
    return undefined;
  }
  const parsed = policyDocumentSchema.safeParse(plain);
  if (!parsed.success) {
    for (const { path, message } of leaves(parsed.error.issues)) {
      const field = fieldOf(path);
      problem(
        positionOf(document, path, lines),
        `${field === "" ? "the document" : field}${message.startsWith("is not ") ? " " : ": "}${message}`,
      );
    }
    return undefined;
  }
  const { kind, metadata } = parsed.data;
  const object: PolicyObject = {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    file: file === "(input)" ? "" : file,
    line: start.line,
    text: alone(document),
  };
  return { object, typed: parsed.data };
}
