import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FieldOptionsSchema,
  type FieldDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { Plugin } from "esbuild";

/** zod's messages in fifty languages, of which English is in use. */
export const englishOnly: Plugin = {
  name: "english only",
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: join(path, ".."),
    }));
  },
};

function withoutEnumOptions(type: EnumDescriptorProto): void {
  delete type.options;
  for (const value of type.value) delete value.options;
}

/** `packed = false` changes the bytes; without a value there is a default, which depends on the syntax. */
function saysPacked({ options }: FieldDescriptorProto): boolean {
  return options !== undefined && isFieldSet(options, FieldOptionsSchema.field.packed);
}

function withoutOptions(message: DescriptorProto): void {
  // A map's entries are messages with this option; the others say what validators and documentation are to know.
  if (message.options?.mapEntry !== true) delete message.options;
  for (const field of [...message.field, ...message.extension]) if (!saysPacked(field)) delete field.options;
  for (const oneof of message.oneofDecl) delete oneof.options;
  message.enumType.forEach(withoutEnumOptions);
  message.nestedType.forEach(withoutOptions);
}

/** @param encoded a FileDescriptorProto as the generated code has it */
export function descriptorWithoutOptions(encoded: string): string {
  const file = fromBinary(FileDescriptorProtoSchema, base64Decode(encoded));
  delete file.options;
  file.messageType.forEach(withoutOptions);
  file.enumType.forEach(withoutEnumOptions);
  return base64Encode(toBinary(FileDescriptorProtoSchema, file), "std_raw");
}

/** Files that say what options there are: nothing needs them where there are no options. */
const ofOptions = /^file_(validate_validate|google_api_annotations|(envoy|udpa|xds)_annotations_\w+)$/;

/** @param source of a generated file */
export function sourceWithoutOptions(source: string): string {
  return source.replace(
    /(fileDesc\(")([^"]+)"(?:, \[([^\]]*)\])?/,
    (_all, head: string, encoded: string, imports = "") => {
      const needed = String(imports)
        .split(", ")
        .filter((name) => name !== "" && !ofOptions.test(name));
      return `${head}${descriptorWithoutOptions(encoded)}", [${needed.join(", ")}]`;
    },
  );
}

/** Messages' descriptors without the rules of validators and notes on versions, which nothing reads at run time: a fifth of their bytes. */
export const withoutProtoOptions: Plugin = {
  name: "without proto options",
  setup(build) {
    build.onLoad({ filter: /\/libs\/api\/\w+\/gen\/.*_pb\.js$/ }, ({ path }) => ({
      contents: sourceWithoutOptions(readFileSync(path, "utf8")),
    }));
  },
};
