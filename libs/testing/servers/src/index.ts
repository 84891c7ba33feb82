export { startTestPostgres, type TestPostgres } from "./postgres.ts";
export { startTestNats, type TestNats, type TestNatsOptions } from "./nats.ts";
export { requireCommand } from "./require-command.ts";
