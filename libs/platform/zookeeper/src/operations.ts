import { JuteReader, JuteWriter } from "./jute.ts";

/** Numbers of the operations, and of the replies that answer none. */
export const opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  ping: 11,
  getChildren: 8,
  getChildren2: 12,
  multiRead: 22,
  auth: 100,
  addWatch: 106,
  closeSession: -11,
} as const;

export const WATCH_EVENT_XID = -1;
export const PING_XID = -2;
export const AUTH_XID = -4;

const EPHEMERAL = 1;
const ALL_PERMISSIONS = 31;
const RECURSIVE = 1;
const ANY_VERSION = -1;

/** What a server knows of a node beside its data. */
export interface NodeStat {
  /** Changes of its data. */
  readonly version: number;
  /** The session that it ends with; 0 for a node that stays. */
  readonly ephemeralOwner: bigint;
  readonly childCount: number;
}

/** One kind of request: its bytes, and what its reply is read as. */
export interface Operation<Result> {
  readonly code: number;
  /** For error messages: `create`, `read` … */
  readonly verb: string;
  readonly path: string;
  readonly write: (writer: JuteWriter) => void;
  readonly read: (reader: JuteReader) => Result;
}

function readStat(reader: JuteReader): NodeStat {
  for (let i = 0; i < 4; i++) reader.long();
  const version = reader.int();
  reader.int();
  reader.int();
  const ephemeralOwner = reader.long();
  reader.int();
  return { version, ephemeralOwner, childCount: reader.int() };
}

const nothing = () => undefined;

/** @param owner who may do what: everybody, or only who has the connection's credentials */
export function create(
  path: string,
  data: Uint8Array,
  ephemeral: boolean,
  owner: "anyone" | "creator",
): Operation<string> {
  return {
    code: opcode.create,
    verb: "create",
    path,
    write: (writer) => {
      writer.text(path).buffer(data).int(1).int(ALL_PERMISSIONS);
      if (owner === "creator") writer.text("auth").text("");
      else writer.text("world").text("anyone");
      writer.int(ephemeral ? EPHEMERAL : 0);
    },
    read: (reader) => reader.text(),
  };
}

export function remove(path: string): Operation<undefined> {
  return {
    code: opcode.delete,
    verb: "delete",
    path,
    write: (writer) => writer.text(path).int(ANY_VERSION),
    read: nothing,
  };
}

/** @param watch tells when it is made or changed, once; also of a node that is not there yet */
export function stat(path: string, watch = false): Operation<NodeStat> {
  return {
    code: opcode.exists,
    verb: "look at",
    path,
    write: (writer) => writer.text(path).bool(watch),
    read: readStat,
  };
}

/** @param watch tells of the next change, once */
export function getData(path: string, watch = false): Operation<{ readonly data: Buffer; readonly stat: NodeStat }> {
  return {
    code: opcode.getData,
    verb: "read",
    path,
    write: (writer) => writer.text(path).bool(watch),
    read: (reader) => ({ data: reader.buffer(), stat: readStat(reader) }),
  };
}

export function setData(path: string, data: Uint8Array, version: number = ANY_VERSION): Operation<undefined> {
  return {
    code: opcode.setData,
    verb: "write",
    path,
    write: (writer) => writer.text(path).buffer(data).int(version),
    read: nothing,
  };
}

/** @param watch tells of the next child that comes or goes, once */
export function getChildren(path: string, watch = false): Operation<string[]> {
  return {
    code: opcode.getChildren2,
    verb: "list",
    path,
    write: (writer) => writer.text(path).bool(watch),
    read: (reader) => reader.texts(),
  };
}

/** What a list in one answer with others is: the names, or the code that it was refused with. */
export type Listed = readonly string[] | { readonly refusedWith: number };

const NO_ERROR = -1;

/** The children of many nodes with one request and one answer. Servers from 3.6 on. */
export function getManyChildren(paths: readonly string[]): Operation<Listed[]> {
  return {
    code: opcode.multiRead,
    verb: "list",
    path: `${paths[0] ?? ""} and ${paths.length - 1} more`,
    write(writer) {
      for (const path of paths) writer.int(opcode.getChildren).bool(false).int(NO_ERROR).text(path).bool(false);
      writer.int(-1).bool(true).int(NO_ERROR);
    },
    read(reader) {
      const found: Listed[] = [];
      for (;;) {
        const type = reader.int();
        const isEnd = reader.bool();
        reader.int();
        if (isEnd) return found;
        found.push(type === opcode.getChildren ? reader.texts() : { refusedWith: reader.int() });
      }
    },
  };
}

/** Events of a node and of all below it, until the connection ends. Servers from 3.6 on. */
export function addRecursiveWatch(path: string): Operation<undefined> {
  return {
    code: opcode.addWatch,
    verb: "watch",
    path,
    write: (writer) => writer.text(path).int(RECURSIVE),
    read: nothing,
  };
}
