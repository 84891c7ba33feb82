interface Entry<Item> {
  deadline: number;
  /** Among equal deadlines the one that was scheduled first wins. */
  order: number;
  readonly item: Item;
}

/**
 * Earliest deadline first: an item of weight w comes up w times as often as one of weight 1, evenly spread.
 * A binary heap; one pick is O(log n). Envoy balances with the same algorithm.
 */
export class EdfSchedule<Item> {
  readonly #heap: Entry<Item>[] = [];
  #order = 0;

  add(item: Item, weight: number): void {
    this.#heap.push({ deadline: 1 / weight, order: this.#order++, item });
    this.#siftUp(this.#heap.length - 1);
  }

  /** @param weightOf asked for the item's weight as it is now, for its next turn */
  pick(weightOf: (item: Item) => number): Item | undefined {
    const top = this.#heap[0];
    if (top === undefined) return undefined;
    top.deadline += 1 / weightOf(top.item);
    top.order = this.#order++;
    this.#siftDown(0);
    return top.item;
  }

  #before(a: number, b: number): boolean {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return left !== undefined;
    return left.deadline < right.deadline || (left.deadline === right.deadline && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }

  #siftUp(start: number): void {
    for (let at = start; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(start: number): void {
    for (let at = start; ;) {
      const left = at * 2 + 1;
      if (left >= this.#heap.length) return;
      const least = this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
