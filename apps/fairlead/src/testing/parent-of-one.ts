/** Stands for `fairlead up` in the test that kills it: starts one process and passes on what that says. */
import { ManagedProcess } from "../up/managed-process.ts";
import { siblingScript } from "../up/scripts.ts";

const child = new ManagedProcess({
  name: "orphan",
  script: siblingScript(import.meta.url, "./misbehaving-child"),
  args: ["obedient"],
  environment: {},
  logFolder: process.argv[2]!,
});
child.start();
process.send?.(await child.message());
