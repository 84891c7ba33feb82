import { dubboProtocol } from "@fairlead/codec-dubbo";
import { goldenFrames } from "@fairlead/codec-dubbo/testing";
import { type FuzzTarget, hex, words } from "../fuzz-target.ts";
import { readFrames } from "./rpc-frames.ts";

export const dubboTarget: FuzzTarget = {
  name: "dubbo",
  sources: ["libs/codec/dubbo/src", "libs/codec/rpc/src"],
  seeds: () => hex(...Object.values(goldenFrames)),
  dictionary: [
    ...hex("dabbc200", "dabbd700", "dabb8200", "dabbe2", "dabb0214", "ffffffff", "7fffffff", "3fffffff", "48", "5a", "4e", "a6", "a5", "af", "92", "7a", "7d", "79"),
    ...words("2.0.2", "0.0.0", "$invoke", "Ljava/lang/String;", "[I", "group", "version", "timeout", "path", "interface"),
  ],
  run: (bytes) => readFrames(dubboProtocol, bytes),
}; // prettier-ignore
