import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { descriptorWithoutOptions, sourceWithoutOptions } from "./smaller-sources.ts";

test("descriptors keep what decides how bytes are read, and lose the rest of the options", () => {
  const file = create(FileDescriptorProtoSchema, {
    name: "a.proto",
    syntax: "proto3",
    options: { goPackage: "a" },
    messageType: [
      {
        name: "A",
        options: { deprecated: true },
        field: [
          { name: "packed_not", number: 1, options: { packed: false } },
          { name: "old", number: 2, options: { deprecated: true } },
        ],
        nestedType: [{ name: "MapEntry", options: { mapEntry: true } }],
      },
    ],
    enumType: [{ name: "E", options: { deprecated: true }, value: [{ name: "X", options: { deprecated: true } }] }],
  });
  const encoded = descriptorWithoutOptions(base64Encode(toBinary(FileDescriptorProtoSchema, file), "std_raw"));
  const { options, messageType, enumType } = fromBinary(FileDescriptorProtoSchema, base64Decode(encoded));
  const [message] = messageType;
  assert.equal(options, undefined);
  assert.equal(message?.options, undefined);
  assert.deepEqual([message?.field[0]?.options?.packed, message?.field[1]?.options], [false, undefined]);
  assert.equal(message?.nestedType[0]?.options?.mapEntry, true);
  assert.deepEqual([enumType[0]?.options, enumType[0]?.value[0]?.options], [undefined, undefined]);
});

test("files that only say what options there are go with the options", () => {
  const encoded = base64Encode(
    toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, { name: "a.proto" })),
    "std_raw",
  );
  const of = (imports: string): string => `export const file_a = fileDesc("${encoded}"${imports});`;
  const all =
    ", [file_b, file_validate_validate, file_udpa_annotations_status, file_xds_annotations_v3_status, file_c]";
  assert.equal(sourceWithoutOptions(of(all)), of(", [file_b, file_c]"));
  assert.equal(sourceWithoutOptions(of("")), of(", []"));
});
