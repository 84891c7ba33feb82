import { createHash } from "node:crypto";
import { localityOf } from "./locality.ts";

/**
 * What policies tell nodes apart by, as far as they do: the answers of one node to the questions that the policies in force ask. Nodes
 * of the same answers see the same. A node of the namespace `default` that no selector meets has none, and so has a node that nobody
 * registered.
 */
export type Viewer = string;

export const anyViewer: Viewer = "";

/** The label that tells a node's namespace. */
export const namespaceLabel = "namespace";
export const defaultNamespace = "default";

export type Question = string;
const namespaceQuestion: Question = "namespace";

/** Where the caller is. Only which of a service's endpoints come first depends on it. */
const localityQuestion: Question = "locality";
export const localityQuestions: readonly Question[] = [localityQuestion];

/** The caller's values of labels, to compare with those of endpoints. */
export function valueQuestions(labels: readonly string[]): Question[] {
  return labels.map((label) => JSON.stringify([label]));
}

function isAboutPlace(question: Question): boolean {
  return question === localityQuestion || (question.startsWith("[") && (JSON.parse(question) as string[]).length === 1);
}

/** One for each label: what a delegate and its root select together is asked too. */
export function labelQuestions(labels: Readonly<Record<string, string>>): Question[] {
  return Object.entries(labels).map((label) => JSON.stringify(label));
}

/** A policy that is not for all asks for the namespace. */
export function exportQuestions(exportTo: readonly string[]): Question[] {
  return exportTo.includes("*") ? [] : [namespaceQuestion];
}

export const namespaceQuestions: readonly Question[] = [namespaceQuestion];

export function namespaceOf(labels: Readonly<Record<string, string>>): string {
  return labels[namespaceLabel] ?? defaultNamespace;
}

function answerOf(question: Question, labels: Readonly<Record<string, string>>): string | undefined {
  if (question === namespaceQuestion) {
    const namespace = namespaceOf(labels);
    return namespace === defaultNamespace ? undefined : namespace;
  }
  if (question === localityQuestion) {
    const locality = localityOf(labels);
    return locality === "" ? undefined : locality;
  }
  const [name, value] = JSON.parse(question) as [string, string | undefined];
  if (value === undefined) return labels[name];
  return labels[name] === value ? "yes" : undefined;
}

/** @param questions sorted */
export function viewerOf(questions: readonly Question[], labels: Readonly<Record<string, string>>): Viewer {
  const answers = questions.flatMap((question) => {
    const answer = answerOf(question, labels);
    return answer === undefined ? [] : [[question, answer] as const];
  });
  return answers.length === 0 ? anyViewer : JSON.stringify(answers);
}

function answersOf(viewer: Viewer): readonly (readonly [Question, string])[] {
  return viewer === anyViewer ? [] : (JSON.parse(viewer) as [Question, string][]);
}

/** The viewer as far as these questions ask. */
export function narrowed(viewer: Viewer, questions: ReadonlySet<Question>): Viewer {
  const answers = answersOf(viewer).filter(([question]) => questions.has(question));
  return answers.length === 0 ? anyViewer : JSON.stringify(answers);
}

/** The viewer without where it is: what routes and clusters depend on. */
export function withoutPlace(viewer: Viewer): Viewer {
  const answers = answersOf(viewer).filter(([question]) => !isAboutPlace(question));
  return answers.length === 0 ? anyViewer : JSON.stringify(answers);
}

/** Short, for keys of resources. @returns empty for who is told from nobody */
export function viewerId(viewer: Viewer): string {
  return viewer === anyViewer ? "" : createHash("sha256").update(viewer).digest("hex").slice(0, 16);
}

export class Sight {
  readonly #answers: ReadonlyMap<Question, string>;

  constructor(viewer: Viewer) {
    this.#answers = new Map(answersOf(viewer));
  }

  get namespace(): string {
    return this.#answers.get(namespaceQuestion) ?? defaultNamespace;
  }

  /** `region/zone/subzone`; empty = none is known, or no policy asks. */
  get locality(): string {
    return this.#answers.get(localityQuestion) ?? "";
  }

  /** The caller's value of a label that is asked for. */
  valueOf(label: string): string | undefined {
    return this.#answers.get(valueQuestions([label])[0]!);
  }

  meets(labels: Readonly<Record<string, string>>): boolean {
    return labelQuestions(labels).every((question) => this.#answers.has(question));
  }

  /** @param namespace of the policy */
  sees(exportTo: readonly string[], namespace: string): boolean {
    return exportTo.some((to) => to === "*" || (to === "." ? namespace : to) === this.namespace);
  }
}
