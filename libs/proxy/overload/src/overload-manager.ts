import type { OverloadAction, OverloadResource, OverloadTrigger } from "./overload-config.ts";
import { MIN_TIMEOUT_SCALE, OverloadState } from "./overload-state.ts";
import { noteAction, notePressure, type OverloadStats } from "./overload-stats.ts";

/** As Envoy's refresh_interval. */
const LOOK_MS = 1000;

export interface OverloadManagerOptions {
  readonly triggers: readonly OverloadTrigger[];
  /** How much of each resource's limit is used, as a share; a resource without a limit is left out. */
  readonly pressures: Partial<Record<OverloadResource, () => number>>;
  readonly stats: OverloadStats;
  /** An action has begun or ended to be whole. */
  readonly onChange: (action: OverloadAction, active: boolean) => void;
}

/** Looks once a second at what may run short, and says what to do less of. */
export class OverloadManager {
  readonly state = new OverloadState();
  readonly #options: OverloadManagerOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #active = new Set<OverloadAction>();

  constructor(options: OverloadManagerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const { pressures, triggers, stats, onChange } = this.#options;
    const used = new Map<OverloadResource, number>();
    for (const [name, pressure] of Object.entries(pressures)) {
      const resource = name as OverloadResource;
      used.set(resource, pressure());
      notePressure(stats, resource, used.get(resource)!);
    }
    const shares = new Map<OverloadAction, number>();
    for (const trigger of triggers) {
      const share = shareOf(trigger, used.get(trigger.resource) ?? 0);
      shares.set(trigger.action, Math.max(share, shares.get(trigger.action) ?? 0));
    }
    for (const [action, share] of shares) {
      noteAction(stats, action, share);
      this.#set(action, share);
      const active = share >= 1;
      if (active === this.#active.has(action)) continue;
      if (active) this.#active.add(action);
      else this.#active.delete(action);
      onChange(action, active);
    }
  }

  #set(action: OverloadAction, share: number): void {
    const { state } = this;
    const active = share >= 1;
    if (action === "stop_accepting_requests") state.stopsRequests = active;
    else if (action === "disable_http_keepalive") state.disablesKeepAlive = active;
    else if (action === "stop_accepting_connections") state.stopsConnections = active;
    else if (action === "reject_incoming_connections") state.rejectsConnections = active;
    else state.timeoutScale = 1 - share * (1 - MIN_TIMEOUT_SCALE);
  }
}

function shareOf({ from, to }: OverloadTrigger, used: number): number {
  if (used >= to) return 1;
  return used < from ? 0 : (used - from) / (to - from);
}
