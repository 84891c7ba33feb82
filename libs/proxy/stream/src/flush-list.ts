/** Something that holds back what is sent, to give it out together. */
export interface Flushing {
  flush(): void;
}

let holding = false;
let waiting: Flushing[] = [];

/** Until `releaseFlushes`: what is sent while the bytes of one read are served goes out when all of them are. */
export function holdFlushes(): void {
  holding = true;
}

export function releaseFlushes(): void {
  holding = false;
  while (waiting.length > 0) {
    const ready = waiting;
    waiting = [];
    for (const one of ready) one.flush();
  }
}

/** At the end of the read that is served, or of the tick. */
export function flushSoon(one: Flushing): void {
  if (holding) waiting.push(one);
  else process.nextTick(flushNow, one);
}

function flushNow(one: Flushing): void {
  one.flush();
}
