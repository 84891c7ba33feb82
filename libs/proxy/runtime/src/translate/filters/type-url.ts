import type { DescMessage } from "@bufbuild/protobuf";

export function typeUrlOf(schema: DescMessage): string {
  return `type.googleapis.com/${schema.typeName}`;
}
