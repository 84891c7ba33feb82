/** What a timer tells that its time has come. */
export interface Expiring {
  onDeadline(): void;
}

/**
 * One deadline on a wheel, that is moved many times and met seldom.
 *
 * To move it later, or away, is an assignment: the wheel looks at the timer when it comes past where it lay, and puts it where
 * it belongs by then. To move it earlier is an assignment and two changes of a list.
 */
export interface WheelTimer {
  /** On the wheel's clock; `Infinity` for none, which it also is once the deadline was met. */
  deadlineMs: number;
  /** Takes it off the wheel for good: what has ended is not brought back by a deadline that is set late. To pause it, set `Infinity`. */
  cancel(): void;
}
