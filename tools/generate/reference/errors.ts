import { globSync } from "node:fs";
import { join } from "node:path";
import { declaredErrors } from "@fairlead/errors";
import { generatedNote, table } from "./markdown.ts";

const repository = join(import.meta.dirname, "../../..");

/** Every declared code: loading an `errors.ts` declares its codes. */
export async function errorReference(): Promise<string> {
  for (const file of globSync("{libs,apps}/**/src/**/errors.ts", {
    cwd: repository,
    exclude: (name) => name === "node_modules",
  })) {
    await import(join(repository, file));
  }
  const rows = declaredErrors().map(({ code, httpStatus, origin, meaning, action }) => [
    `<a id="${code}"></a>\`${code}\``,
    String(httpStatus),
    meaning,
    action,
    origin,
  ]);
  return `${generatedNote}
# Errors

Every error of an API, the command line and the logs has one of these codes. API answers carry \`code\`, \`message\` (what happened, where),
\`action\` (what to do), \`facts\` and \`traceId\`; those of /pub, /unpub, /sub and /unsub add \`err_no: 1\` and \`err_msg\`.

${table(["code", "HTTP", "meaning", "what to do", "declared by"], rows)}
`;
}
