let second = 0;
let text = "";

/** The time as a `date` header has it; rendered once a second. */
export function httpDate(): string {
  const now = Math.trunc(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
