export { startTestPostgres, type TestPostgres } from "./postgres.ts";
export { startTestNats, type TestNats, type TestNatsOptions } from "./nats.ts";
export { requireCommand } from "./require-command.ts";
export { startTestZooKeeper, type TestZooKeeper, type TestZooKeeperOptions } from "./zookeeper.ts";
export { CannotRun, envoyBinary, envoyVersion } from "./envoy-binary.ts";
export { startTestNacos, type TestNacos } from "./nacos/nacos.ts";
