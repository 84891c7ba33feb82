import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RejectedCompile } from "@fairlead/compile";
import type { RejectedObjectSchema } from "@fairlead/fairlead-api";

/** As it is announced, and kept in the bucket. */
export function rejectedMessage({
  provenance: { kind, key, file = "", line = 0 },
  code,
  message,
}: RejectedCompile): MessageInitShape<typeof RejectedObjectSchema> {
  return { object: { kind, key, file, line }, code, message };
}
