import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";

/** What is wrong with a message itself; what is within it has checks of its own. @returns rules that it breaks, in words */
export type MessageCheck = (message: never) => Iterable<string>;

export interface MessageChecks {
  /** By the full name of the message type. */
  readonly of: ReadonlyMap<string, MessageCheck>;
  /** What is looked into where an Any holds it, by the same. */
  readonly opened: ReadonlyMap<string, DescMessage>;
  /** The messages whose Any is opened, by the same; most of a mesh's resources have none of these, and are not gone through for an Any. */
  readonly openedIn: ReadonlySet<string>;
}

type Member = DescMessage["members"][number];

const visited = new WeakMap<MessageChecks, Map<DescMessage, readonly Member[]>>();

/** Those that have something within them that there is a check for: most of a message has not. */
function membersToVisit(checks: MessageChecks, desc: DescMessage): readonly Member[] {
  const known = visited.get(checks) ?? new Map<DescMessage, readonly Member[]>();
  visited.set(checks, known);
  const found = known.get(desc);
  if (found !== undefined) return found;
  const members = desc.members.filter((member) =>
    (member.kind === "oneof" ? member.fields : [member]).some((field) => isFieldChecked(checks, field, new Set())),
  );
  known.set(desc, members);
  return members;
}

/** @param seen message types that hold one another */
function isFieldChecked(checks: MessageChecks, { message, parent }: DescField, seen: Set<DescMessage>): boolean {
  if (message === undefined || seen.has(message)) return false;
  if (message.typeName === AnySchema.typeName) return checks.openedIn.has(parent.typeName);
  seen.add(message);
  return checks.of.has(message.typeName) || message.fields.some((field) => isFieldChecked(checks, field, seen));
}

/** Where a message is, from the outermost on: a name is made of it only for a rule that is broken. */
type Place = (string | number)[];

/** Goes through a message and all within it. @returns each rule that is broken, with the path to where */
export function brokenRules(checks: MessageChecks, desc: DescMessage, message: Message): string[] {
  const broken: string[] = [];
  visit(checks, desc, message, [desc.name], broken);
  return broken;
}

function visit(checks: MessageChecks, desc: DescMessage, message: Message, place: Place, broken: string[]): void {
  if (desc.typeName === AnySchema.typeName) return visitAny(checks, message as Any, place, broken);
  const check = checks.of.get(desc.typeName);
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

function visitAny(checks: MessageChecks, any: Any, place: Place, broken: string[]): void {
  const desc = checks.opened.get(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  const message = desc === undefined ? undefined : anyUnpack(any, desc);
  if (desc !== undefined && message !== undefined) visit(checks, desc, message, place, broken);
}
