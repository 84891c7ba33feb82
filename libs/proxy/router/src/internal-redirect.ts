/** Redirects of hosts that the proxy follows itself, instead of the client. */
export interface InternalRedirectPolicy {
  /** Of one request; what is redirected more often goes to the client. @default 1 */
  readonly maxRedirects: number;
  /** Of 301, 302, 303, 307 and 308. @default 302 */
  readonly statuses: ReadonlySet<number>;
  /** From http to https, or back. @default false */
  readonly allowsOtherScheme: boolean;
  /** In lower case: the redirected request has these of the response, or none. @default none */
  readonly copiedHeaders: readonly string[];
}
