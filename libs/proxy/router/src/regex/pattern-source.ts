/** A pattern, and how far it has been read. */
export interface PatternSource {
  readonly text: string;
  at: number;
  readonly ignoreCase: boolean;
  /** Whether this comes next; steps over it. */
  take(text: string): boolean;
}
