import type { Plugin } from "esbuild";

/**
 * Modules of Node whose exports are getters that load more: an `import` statement reads them all to make its names, so that `node:http`
 * loads what is behind `fetch` and `WebSocket`, 4 MiB of memory, and `node:process` and `node:util` some thirty modules each.
 */
const names = ["fs", "http", "process", "util"];

/** In a bundle they are required instead: then each getter is read where its name is used. */
export const lazyBuiltins: Plugin = {
  name: "lazy builtins",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(node:)?(${names.join("|")})$`) }, ({ path, kind }) =>
      kind === "import-statement" ? { path: path.replace(/^(node:)?/, "node:"), namespace: "required" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};
