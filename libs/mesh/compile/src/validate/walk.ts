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

/** Where a message is, from the outermost on: a name is made of it only for a rule that is broken. */
type Place = (string | number)[];

/** Goes through a message and all within it. An Any is not opened. @returns each rule that is broken, with the path to where */
export function brokenRules(checks: MessageChecks, desc: DescMessage, message: Message): string[] {
  const broken: string[] = [];
  visit(checks, desc, message, [desc.name], broken);
  return broken;
}

function visit(checks: MessageChecks, desc: DescMessage, message: Message, place: Place, broken: string[]): void {
  const check = checks.get(desc.typeName);
  if (check !== undefined) for (const rule of check(message as never)) broken.push(`${place.join("")}: ${rule}`);
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  for (const member of membersToVisit(checks, desc)) {
    if (member.kind === "oneof") {
      const { case: chosen, value } = fields[member.localName] as { case: string | undefined; value?: unknown };
      const field = chosen === undefined ? undefined : member.fields.find(({ localName }) => localName === chosen);
      if (field !== undefined) visitField(checks, field, value, place, broken);
    } else {
      visitField(checks, member, fields[member.localName], place, broken);
    }
  }
}

function visitField(checks: MessageChecks, field: DescField, value: unknown, place: Place, broken: string[]): void {
  const { message: desc, fieldKind } = field;
  if (value === undefined || desc === undefined) return;
  place.push(".", field.name);
  if (fieldKind === "message") visit(checks, desc, value as Message, place, broken);
  else if (fieldKind === "list") {
    const items = value as Message[];
    for (let index = 0; index < items.length; index += 1) visitItem(checks, desc, items[index]!, place, index, broken);
  } else {
    for (const [key, item] of Object.entries(value as Record<string, Message>))
      visitItem(checks, desc, item, place, JSON.stringify(key), broken);
  }
  place.length -= 2;
}

function visitItem(
  checks: MessageChecks,
  desc: DescMessage,
  item: Message,
  place: Place,
  index: string | number,
  broken: string[],
): void {
  place.push("[", index, "]");
  visit(checks, desc, item, place, broken);
  place.length -= 3;
}
