import { ManagedProcess } from "./managed-process.ts";
import { siblingScript } from "./scripts.ts";

/** One instance of a service of the sample shop. */
export interface Sample {
  readonly service: string;
  readonly version: string;
  /** Of HTTP: a Dubbo or bolt service tells there that it is ready. */
  readonly port: number;
  /** Where a Dubbo or bolt service is called. */
  readonly rpcPort: number;
}

/** @param environment where its sidecar or its registry is */
export function sampleProcess(
  name: string,
  sample: Sample,
  logFolder: string,
  environment: Readonly<Record<string, string>>,
): ManagedProcess {
  return new ManagedProcess({
    name,
    script: siblingScript(import.meta.url, "../../../samples/shop/src/main"),
    args: [sample.service],
    logFolder,
    environment: {
      SHOP_PORT: String(sample.port),
      SHOP_RPC_PORT: String(sample.rpcPort),
      SHOP_BIND: "127.0.0.1",
      SHOP_VERSION: sample.version,
      SHOP_INSTANCE: name,
      ...environment,
    },
  });
}
