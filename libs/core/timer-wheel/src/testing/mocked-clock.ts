import { afterEach, beforeEach, mock } from "node:test";

/** The time of a test file whose timers are mocked: it begins at 0 for each test, and passes when a test says so. */
export class MockedClock {
  nowMs = 0;

  constructor() {
    beforeEach(() => {
      this.nowMs = 0;
      mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    });
    afterEach(() => mock.timers.reset());
  }

  /** A millisecond after the other, so that each timer sees the time at which it is met. */
  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.nowMs++;
      mock.timers.tick(1);
    }
  }
}
