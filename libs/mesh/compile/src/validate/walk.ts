import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";

/** What is wrong with a message itself; what is within it has checks of its own. @returns rules that it breaks, in words */
export type MessageCheck = (message: never) => Iterable<string>;

/** Checks by the full name of the message type. */
export type MessageChecks = ReadonlyMap<string, MessageCheck>;

type Member = DescMessage["members"][number];

const visited = new WeakMap<MessageChecks, Map<DescMessage, readonly Member[]>>();

/** Those that have something within them that there is a check for: most of a message has not. */
function membersToVisit(checks: MessageChecks, desc: DescMessage): readonly Member[] {
  const known = visited.get(checks) ?? new Map<DescMessage, readonly Member[]>();
  visited.set(checks, known);
  const found = known.get(desc);
  if (found !== undefined) return found;
  const members = desc.members.filter((member) =>
    (member.kind === "oneof" ? member.fields : [member]).some(({ message }) => isChecked(checks, message, new Set())),
  );
  known.set(desc, members);
  return members;
}

/** @param seen message types that hold one another */
function isChecked(checks: MessageChecks, desc: DescMessage | undefined, seen: Set<DescMessage>): boolean {
  if (desc === undefined || seen.has(desc)) return false;
  seen.add(desc);
  return checks.has(desc.typeName) || desc.fields.some(({ message }) => isChecked(checks, message, seen));
}

/** Goes through a message and all within it. Each rule that is broken comes with the path to where. An Any is not opened. */
export function* brokenRules(
  checks: MessageChecks,
  desc: DescMessage,
  message: Message,
  path: string = desc.name,
): Generator<string> {
  const check = checks.get(desc.typeName);
  if (check !== undefined) for (const rule of check(message as never)) yield `${path}: ${rule}`;
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  for (const member of membersToVisit(checks, desc)) {
    if (member.kind === "oneof") {
      const { case: chosen, value } = fields[member.localName] as { case: string | undefined; value?: unknown };
      const field = chosen === undefined ? undefined : member.fields.find(({ localName }) => localName === chosen);
      if (field !== undefined) yield* brokenWithin(checks, field, value, path);
    } else {
      yield* brokenWithin(checks, member, fields[member.localName], path);
    }
  }
}

function* brokenWithin(checks: MessageChecks, field: DescField, value: unknown, path: string): Generator<string> {
  if (value === undefined || field.message === undefined) return;
  const below = `${path}.${field.name}`;
  if (field.fieldKind === "message") yield* brokenRules(checks, field.message, value as Message, below);
  else if (field.fieldKind === "list") {
    for (const [index, item] of (value as Message[]).entries())
      yield* brokenRules(checks, field.message, item, `${below}[${index}]`);
  } else if (field.fieldKind === "map") {
    for (const [key, item] of Object.entries(value as Record<string, Message>))
      yield* brokenRules(checks, field.message, item, `${below}[${JSON.stringify(key)}]`);
  }
}
