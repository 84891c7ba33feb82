/** What reads and writes the parts of a body that are not arguments. A body is a sequence of values. */
export interface BodyReader {
  /** The next byte to be read. */
  readonly at: number;
  begin(frame: Buffer, start: number, end: number): void;
  /** undefined when the value is null */
  readString(): string | undefined;
  skip(): void;
  /** Goes into the attachments. @returns false when they are null, or nothing is there any more */
  beginMap(): boolean;
  endMap(): boolean;
  /** The next value of the attachments as text; undefined when it has none */
  readText(): string | undefined;
}

/** How bodies are written; Dubbo's ids. */
export const HESSIAN2 = 2;
export const FASTJSON2 = 23;

const names: Readonly<Record<number, string>> = {
  [HESSIAN2]: "hessian2",
  3: "java",
  4: "compactedjava",
  6: "fastjson",
  7: "nativejava",
  8: "kryo",
  9: "fst",
  10: "native-hessian",
  11: "avro",
  12: "protostuff",
  16: "gson",
  18: "jackson",
  21: "protobuf-json",
  22: "protobuf",
  [FASTJSON2]: "fastjson2",
  25: "kryo2",
  27: "msgpack",
  28: "fury",
};

export function serializationName(id: number): string {
  return names[id] ?? `dubbo-serialization-${id}`;
}
