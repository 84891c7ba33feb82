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
  /** Takes it off the wheel, which holds neither the timer nor what it tells any longer. It can be armed again. */
  cancel(): void;
}
