export interface CanonicalPathOptions {
  /** `//` is `/`. @default false */
  readonly mergeSlashes: boolean;
  /** What to do with `%2F` and `%5C`: servers disagree on whether they separate. @default "keep" */
  readonly escapedSlashes: "keep" | "reject";
}

const [SLASH, DOT, QUESTION, PERCENT, BACKSLASH] = [47, 46, 63, 37, 92];

/** Whether there is nothing to do, as for nearly all: no escapes, no empty segments, none that begins with a dot. */
function isPlain(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let before = SLASH;
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === QUESTION) return true;
    if (code === PERCENT || code === BACKSLASH) return false;
    if (before === SLASH && (code === SLASH || code === DOT)) return false;
    before = code;
  }
  return true;
}

/**
 * The one spelling of a path that routes, policies and the host all see (RFC 3986 §6.2.2): unreserved characters are not
 * escaped, escapes are in capitals, there are no dot segments and no backslashes. Differences between what a proxy decides
 * on and what a server serves are how path rules are got round.
 *
 * @param path with query, which is left as it is
 * @returns undefined for a path that cannot be trusted: a broken escape, an escaped NUL, `..` above the root
 */
export function canonicalPath(path: string, options: CanonicalPathOptions): string | undefined {
  if (isPlain(path) || path === "*" || path === "") return path;
  const mark = path.indexOf("?");
  const raw = mark === -1 ? path : path.slice(0, mark);
  const decoded = decodeUnreserved(raw, options);
  if (decoded === undefined) return undefined;
  const segments = removeDotSegments(decoded.replaceAll("\\", "/").split("/"), options.mergeSlashes);
  if (segments === undefined) return undefined;
  return segments.join("/") + (mark === -1 ? "" : path.slice(mark));
}

function decodeUnreserved(raw: string, options: CanonicalPathOptions): string | undefined {
  if (!raw.includes("%")) return raw;
  let bad = false;
  const decoded = raw.replaceAll(/%(.{0,2})/g, (_all, digits: string) => {
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      bad = true;
      return "";
    }
    const code = Number.parseInt(digits, 16);
    if (code === 0 || (options.escapedSlashes === "reject" && (code === 0x2f || code === 0x5c))) bad = true;
    const char = String.fromCharCode(code);
    return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${digits.toUpperCase()}`;
  });
  return bad ? undefined : decoded;
}

/** @param segments of an absolute path: the first is empty */
function removeDotSegments(segments: readonly string[], mergeSlashes: boolean): string[] | undefined {
  const kept: string[] = [""];
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? "";
    const last = i === segments.length - 1;
    if (segment === "..") {
      if (kept.length === 1) return undefined;
      kept.pop();
      if (last) kept.push("");
    } else if (segment === ".") {
      if (last) kept.push("");
    } else if (segment !== "" || last || !mergeSlashes) kept.push(segment);
  }
  return kept.length === 1 ? ["", ""] : kept;
}
