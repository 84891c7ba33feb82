import { SofaHessianReader } from "@fairlead/codec-hessian";
import { MAX_ATTACHMENTS, rpcError } from "@fairlead/codec-rpc";

/** What a SofaRequest says before its arguments. */
export interface SofaRequest {
  readonly methodName: string | undefined;
  readonly targetService: string | undefined;
  /** Strings only; those of maps within as `map.key`, as Java's headers have them. */
  readonly props: readonly (readonly [name: string, value: string])[];
}

const reader = new SofaHessianReader();

/**
 * Reads the object that a bolt call's content begins with. The arguments follow it as values of their own, and are not looked at.
 *
 * @throws FairleadError FL_RPC_BODY_UNREADABLE
 */
export function readSofaRequest(frame: Buffer, start: number, end: number): SofaRequest {
  try {
    reader.begin(frame, start, end);
    let methodName: string | undefined;
    let targetService: string | undefined;
    let props: SofaRequest["props"] = [];
    for (const field of reader.beginObject()) {
      if (field === "methodName") methodName = reader.readString();
      else if (field === "targetServiceUniqueName") targetService = reader.readString();
      else if (field === "requestProps") props = readProps("", true);
      else reader.skip();
    }
    return { methodName, targetService, props };
  } catch (error) {
    throw rpcError("FL_RPC_BODY_UNREADABLE", "bolt", "the content is no SofaRequest in SOFA's Hessian", error);
  }
}

function readProps(prefix: string, goDeeper: boolean): (readonly [string, string])[] {
  const props: (readonly [string, string])[] = [];
  if (!reader.beginMap()) return props;
  while (!reader.endMap()) {
    if (!startsString(reader.next)) {
      reader.skip();
      reader.skip();
      continue;
    }
    const name = prefix + (reader.readString() ?? "");
    if (props.length >= MAX_ATTACHMENTS) throw new RangeError(`more than ${MAX_ATTACHMENTS} properties`);
    if (startsString(reader.next)) props.push([name, reader.readString() ?? ""]);
    else if (goDeeper && reader.next === 0x4d) props.push(...readProps(`${name}.`, false));
    else reader.skip();
  }
  return props;
}

/** 00-1f, S, s, X, x */
function startsString(tag: number): boolean {
  return (tag >= 0 && tag <= 0x1f) || tag === 0x53 || tag === 0x73 || tag === 0x58 || tag === 0x78;
}
