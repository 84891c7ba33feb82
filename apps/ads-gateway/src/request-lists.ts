import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { SharedDecodings } from "./shared-decodings.ts";

/** The parts of a request that grow with the mesh. Not altered: requests of equal bytes share them. */
export interface RequestLists {
  /** Names that are asked for. */
  readonly names: readonly string[];
  /** Delta only: what the client has, name to version. */
  readonly initialVersions: ReadonlyMap<string, string>;
}

/** Both requests have the names in this field. */
const namesField = 3;
/** Of a delta request: entries of a map, 1: name, 2: version. */
const versionsField = 5;

export interface DividedRequest {
  readonly lists: RequestLists;
  /** The other fields, encoded. */
  readonly rest: Uint8Array;
}

const noLists: RequestLists = { names: [], initialVersions: new Map() };
/** Shorter ones are decoded as fast as they are found. */
const minSharedBytes = 512;
const shared = new SharedDecodings<RequestLists>({ maxEntries: 32, maxBytes: 8 * 1024 * 1024, maxAgeMs: 10_000 });

/**
 * Takes the lists out of a request, as thousands of proxies send the same ones: all that the mesh has, after a restart and, in
 * state of the world, with each ACK.
 *
 * @throws Error for what is no message
 */
export function divideRequest(bytes: Uint8Array, variant: "sotw" | "delta"): DividedRequest {
  const reader = new BinaryReader(bytes);
  const listParts: Uint8Array[] = [];
  const restParts: Uint8Array[] = [];
  let begin = 0;
  let wasList = false;
  const endPart = (end: number) => {
    if (end > begin) (wasList ? listParts : restParts).push(bytes.subarray(begin, end));
    begin = end;
  };
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const [field, wireType] = reader.tag();
    const isList =
      wireType === WireType.LengthDelimited &&
      (field === namesField || (field === versionsField && variant === "delta"));
    if (isList !== wasList) {
      endPart(at);
      wasList = isList;
    }
    reader.skip(wireType, field);
  }
  endPart(reader.len);
  if (listParts.length === 0) return { lists: noLists, rest: bytes };
  const lists = joined(listParts);
  return {
    lists: lists.byteLength < minSharedBytes ? decode(lists) : shared.of(lists, decode),
    rest: joined(restParts),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

function decode(bytes: Uint8Array): RequestLists {
  const reader = new BinaryReader(bytes);
  const names: string[] = [];
  const initialVersions = new Map<string, string>();
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    if (field === namesField) names.push(reader.string(true));
    else decodeVersion(reader, initialVersions);
  }
  return { names, initialVersions };
}

function decodeVersion(reader: BinaryReader, into: Map<string, string>): void {
  const end = reader.uint32() + reader.pos;
  let [name, version] = ["", ""];
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) name = reader.string(true);
    else if (field === 2 && wireType === WireType.LengthDelimited) version = reader.string(true);
    else reader.skip(wireType, field);
  }
  if (reader.pos > end) throw new RangeError("an entry of a map has more than its length");
  into.set(name, version);
}
