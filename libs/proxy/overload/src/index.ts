export { descriptorShare, openFileLimit } from "./file-descriptors.ts";
export { memoryLimitBytes } from "./memory-limit.ts";
export {
  defaultOverloadActions,
  type OverloadConfig,
  type OverloadAction,
  type OverloadResource,
  type OverloadTrigger,
} from "./overload-config.ts";
export { OverloadManager, type OverloadManagerOptions } from "./overload-manager.ts";
export { OverloadState } from "./overload-state.ts";
export { OverloadStats } from "./overload-stats.ts";
export { parseOverloadActions } from "./parse-actions.ts";
