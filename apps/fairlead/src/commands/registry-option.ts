import { Option } from "commander";
import { RegistryClient } from "../registry/registry-client.ts";

/** `--registry URL`, the same for every command that asks registry-sync. */
export const registryOption = (): Option =>
  new Option("--registry <url>", "registry-sync of the mesh")
    .env("FAIRLEAD_REGISTRY_URL")
    .default("http://127.0.0.1:13300");

export const jsonOption = (): Option => new Option("--json", "print JSON");

/** FAIRLEAD_REGISTRY_URL may name several, as for sidecars: the first is asked. */
export function registryClient(url: string): RegistryClient {
  return new RegistryClient(url.split(",")[0]!.trim());
}
