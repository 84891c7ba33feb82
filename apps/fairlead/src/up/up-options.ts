/** What `fairlead up` was asked for. */
export interface UpOptions {
  readonly check?: boolean;
  readonly dataFolder?: string;
  readonly freePorts?: boolean;
  readonly portBase?: number;
  readonly traffic: boolean;
  /** Calls a second. */
  readonly trafficRate: number;
  readonly json?: boolean;
}
