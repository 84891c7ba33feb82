import type { CallTerm, Override } from "./rule.ts";

/** What overrides say of calls that a route can do. */
export interface CallSettings {
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** An override as far as it is about calls: all of them, or those of one method. */
export interface CallOverride {
  readonly override: Override;
  readonly calls: Override["calls"];
  readonly settings: CallSettings;
}

/** How Dubbo's callers behave, where a proxy cannot do it for them. */
const ofNoEffect: ReadonlySet<string> = new Set(
  "accepts accesslog actives async cache cluster connections deprecated executes filter generic heartbeat lazy mock onreturn onthrow payload proxy sent sticky threads token validation warmup".split(" "), // prettier-ignore
);
/** Of providers: a change for some calls only cannot be had. */
const ofProviders: ReadonlySet<string> = new Set(["weight", "disabled", "enabled", "loadbalance", "dubbo.tag"]);

const maxTimeoutMs = 24 * 60 * 60 * 1000;
const maxRetries = 100;

function settingsOf(key: string, value: string): CallSettings | undefined {
  if (key === "timeout") {
    const ms = Number(value);
    return Number.isInteger(ms) && ms > 0 && ms <= maxTimeoutMs ? { timeoutMs: ms } : undefined;
  }
  const retries = Number(value);
  return Number.isInteger(retries) && retries >= 0 && retries <= maxRetries ? { retries } : undefined;
}

/** What an override says of calls, by the methods that it names; and what of it has no effect. */
export function callOverrides(override: Override): { readonly found: CallOverride[]; readonly problems: string[] } {
  const byMethod = new Map<string, CallSettings>();
  const problems: string[] = [];
  for (const [name, value] of override.parameters) {
    const dot = name.lastIndexOf(".");
    const [method, key] = dot === -1 ? ["", name] : [name.slice(0, dot), name.slice(dot + 1)];
    if (key === "timeout" || key === "retries") {
      const settings = settingsOf(key, value);
      if (settings === undefined) problems.push(`${name}=${value} is not in its range`);
      else byMethod.set(method, { ...byMethod.get(method), ...settings });
    } else if (ofNoEffect.has(name)) {
      problems.push(`${name} has no effect in the mesh`);
    } else if (override.calls.length > 0 && ofProviders.has(name)) {
      problems.push(`${name} for some callers only cannot be had; a condition router can tell callers apart`);
    }
  }
  const ofMethod = (method: string): CallTerm[] => method === "" ? [] : [{ key: "method", matches: [method], mismatches: [] }]; // prettier-ignore
  const found = [...byMethod].map(([method, settings]) => ({
    override,
    calls: [...override.calls, ...ofMethod(method)],
    settings,
  }));
  // What is said of one method wins over what is said of all.
  return { found: found.toSorted((a, b) => a.calls.length - b.calls.length), problems };
}
