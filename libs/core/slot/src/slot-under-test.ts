import { slotKey, taskKey } from "./keys.ts";

/** Host and weight. */
export const hosts = slotKey<readonly (readonly [string, number])[]>("hosts");
export const greeting = taskKey<string, string>("greeting");
/** Answers with the thread's id, after other work. */
export const slow = taskKey<undefined, number>("slow");
