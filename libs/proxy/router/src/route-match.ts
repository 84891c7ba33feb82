export interface RouteMatch {
  /** Compared with the path without its query. */
  readonly path: PathMatch;
  /** @default true */
  readonly caseSensitive?: boolean;
  /** All of them must hold. */
  readonly headers?: readonly HeaderMatch[];
  readonly queryParameters?: readonly QueryParameterMatch[];
  /** Only gRPC requests. @default false */
  readonly grpc?: boolean;
  /** The share of requests, from 0 to 1, that the route takes. @default 1 */
  readonly fraction?: number;
}

/** `separatedPrefix`: `/a` matches `/a` and `/a/b`, not `/ab`. `regex`: RE2 syntax, the whole path. `connect`: CONNECT, which has none. */
export interface PathMatch {
  readonly kind: "prefix" | "path" | "separatedPrefix" | "regex" | "connect";
  readonly value: string;
}

export interface StringMatch {
  readonly kind: "exact" | "prefix" | "suffix" | "contains" | "regex";
  readonly value: string;
  /** @default false */
  readonly ignoreCase?: boolean;
}

export interface HeaderMatch {
  /** In lower case; also `:method`, `:path`, `:authority`, `:scheme`. */
  readonly name: string;
  readonly match:
    | StringMatch
    | { readonly kind: "present"; readonly present: boolean }
    /** An integer in [start, end). */
    | { readonly kind: "range"; readonly start: number; readonly end: number };
  /** @default false */
  readonly invert?: boolean;
  /** @default false: a header that is missing does not match, inverted or not */
  readonly missingAsEmpty?: boolean;
}

export interface QueryParameterMatch {
  readonly name: string;
  readonly match: StringMatch | { readonly kind: "present"; readonly present: boolean };
}
