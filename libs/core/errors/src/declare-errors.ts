/** What a code means to the one who gets it. Each becomes a row of docs/reference/errors.md. */
export interface ErrorMeaning {
  /** The HTTP status that an API answers with. */
  readonly httpStatus: number;
  /** What has happened, as a general statement. The thrown message says it of the case at hand. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly action: string;
}

export interface DeclaredError extends ErrorMeaning {
  readonly code: string;
  /** The library or app whose `errors.ts` declares it. */
  readonly origin: string;
}

const declared = new Map<string, DeclaredError>();

/**
 * Declares the error codes of one library, in its `errors.ts`. A code is declared once in the whole product.
 *
 * @returns the same table, so that `keyof typeof` gives the library's codes
 * @throws Error when two libraries declare one code: a defect that shows at start
 */
export function declareErrors<const Table extends Readonly<Record<`FL_${string}`, ErrorMeaning>>>(
  origin: string,
  table: Table,
): Table {
  for (const [code, meaning] of Object.entries(table)) {
    const other = declared.get(code);
    if (other !== undefined && other.origin !== origin) {
      throw new Error(`error code ${code} is declared by ${other.origin} and by ${origin}`);
    }
    declared.set(code, { code, origin, ...meaning });
  }
  return table;
}

/** All codes declared by the modules loaded so far, sorted. */
export function declaredErrors(): DeclaredError[] {
  return [...declared.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
}

export function meaningOf(code: string): DeclaredError | undefined {
  return declared.get(code);
}
