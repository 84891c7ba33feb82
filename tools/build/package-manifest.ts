/** What the build reads of a package.json. */
export interface PackageManifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function compiledPaths(paths: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  if (paths === undefined) return undefined;
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, path.replace(/\.ts$/, ".js")]));
}

/**
 * The package.json of the compiled package: entry points end in `.js`, and nothing is run at install. npm links the workspaces among the
 * devDependencies of a workspace even when told to omit them, so those are left out.
 */
export function compiledManifest<Manifest extends PackageManifest>(
  manifest: Manifest,
): Omit<Manifest, "scripts" | "devDependencies"> {
  const { scripts: _scripts, devDependencies: _tests, exports, bin, ...rest } = manifest;
  return {
    ...rest,
    ...(exports === undefined ? {} : { exports: compiledPaths(exports) }),
    ...(bin === undefined ? {} : { bin: compiledPaths(bin) }),
  } as Omit<Manifest, "scripts" | "devDependencies">;
}

/**
 * Every package that `name` needs, directly or through workspaces, with the workspaces in between.
 *
 * @returns package → the chain of workspaces that leads to it, for messages
 */
export function dependencyClosure(
  name: string,
  workspaces: ReadonlyMap<string, PackageManifest>,
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const queue: { name: string; chain: readonly string[] }[] = [{ name, chain: [name] }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const dependency of Object.keys(workspaces.get(next.name)?.dependencies ?? {})) {
      if (found.has(dependency)) continue;
      const chain = [...next.chain, dependency];
      found.set(dependency, chain);
      queue.push({ name: dependency, chain });
    }
  }
  return found;
}

/** What the data plane must not carry: the store and the bus. */
export const notInDataPlane = /^(typeorm|pg|pg-.*|@nats-io\/.*|@fairlead\/(store|bus|bus-nats|postgres-server))$/;

/** What runs in the data plane. */
export const dataPlaneApps: readonly string[] = ["@fairlead/sidecar", "@fairlead/edge-gateway"];

/** @returns a message for each package that a sidecar must not depend on and does; empty = lean */
export function sidecarBurdens(workspaces: ReadonlyMap<string, PackageManifest>): string[] {
  return [...dependencyClosure("@fairlead/sidecar", workspaces)]
    .filter(([dependency]) => notInDataPlane.test(dependency))
    .map(([dependency, chain]) => `${dependency} gets into the sidecar: ${chain.join(" → ")}`);
}
