/** @throws Error at its end, which only those reach who go step by step */
export function walk(bytes: Buffer): number {
  if (bytes[0] !== 0x77) return 0;
  if (bytes[1] !== 0x61) return 1;
  if (bytes[2] !== 0x79) return 2;
  throw new Error("the end of the maze");
}
