import { runMain } from "../run-main.ts";

await runMain(async () => process.exit(7));
