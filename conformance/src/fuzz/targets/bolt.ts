import { boltProtocol } from "@fairlead/codec-bolt";
import { goldenFrames } from "@fairlead/codec-bolt/testing";
import { type FuzzTarget, hex, words } from "../fuzz-target.ts";
import { readFrames } from "./rpc-frames.ts";

export const boltTarget: FuzzTarget = {
  name: "bolt",
  sources: ["libs/codec/bolt/src", "libs/codec/rpc/src"],
  seeds: () => hex(...Object.values(goldenFrames)),
  dictionary: [
    ...hex("01000001", "020101000101", "ffffffff", "7fffffff", "3fffffff", "00000000", "0064", "4f90", "4d7400", "5a", "7a", "00000007"),
    ...words("service", "sofa_head_method_name", "sofa_head_target_service", "sofa_head_response_error", "methodName", "targetServiceUniqueName", "requestProps", "true"),
  ],
  run: (bytes) => readFrames(boltProtocol, bytes),
}; // prettier-ignore
