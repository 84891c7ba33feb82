/** Runs something for each item, a few at a time. The first failure ends it. */
export async function eachOf<Item>(
  items: Iterable<Item>,
  atATime: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); next.done !== true; next = left.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
