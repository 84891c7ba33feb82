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
  const [name, value] = JSON.parse(question) as [string, string];
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

export class Sight {
  readonly #answers: ReadonlyMap<Question, string>;

  constructor(viewer: Viewer) {
    this.#answers = new Map(answersOf(viewer));
  }

  get namespace(): string {
    return this.#answers.get(namespaceQuestion) ?? defaultNamespace;
  }

  meets(labels: Readonly<Record<string, string>>): boolean {
    return labelQuestions(labels).every((question) => this.#answers.has(question));
  }

  /** @param namespace of the policy */
  sees(exportTo: readonly string[], namespace: string): boolean {
    return exportTo.some((to) => to === "*" || (to === "." ? namespace : to) === this.namespace);
  }
}
