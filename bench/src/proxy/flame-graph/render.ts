import type { Frame } from "./cpu-profile.ts";

const width = 1200;
const rowHeight = 17;
const top = 46;
/** Narrower boxes are left out: nobody can read them, and there are thousands. */
const leastShare = 0.0012;
const pixelsOfLetter = 6.2;

const colours: Readonly<Record<Frame["origin"], string>> = {
  ours: "#f4a259",
  node: "#8cb369",
  system: "#5b8e7d",
  gc: "#bc4b51",
  others: "#d9c27e",
};

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A picture of the tree, the root on top: how wide a box is says how much of the time was spent in it and below it. */
export function renderFlameGraph(root: Frame, title: string): string {
  const boxes: string[] = [];
  let depthSeen = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const share = frame.total / root.total;
    if (share < leastShare) return;
    depthSeen = Math.max(depthSeen, depth);
    const wide = share * width;
    const y = top + depth * rowHeight;
    const letters = Math.floor((wide - 4) / pixelsOfLetter);
    const text = letters < 3 ? "" : frame.name.slice(0, letters);
    boxes.push(
      `<g><title>${escape(frame.name)}: ${(share * 100).toFixed(1)} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${colours[frame.origin]}"/>${text === "" ? "" : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escape(text)}</text>`}</g>`,
    );
    let at = x;
    for (const child of [...frame.children.values()].toSorted((a, b) => b.total - a.total)) {
      draw(child, at, depth + 1);
      at += (child.total / root.total) * width;
    }
  };
  draw(root, 0, 0);
  const legend = Object.entries({
    ours: "Fairlead",
    node: "Node and V8",
    system: "system calls",
    gc: "garbage collection",
    others: "packages",
  } satisfies Record<Frame["origin"], string>)
    .map(
      ([origin, label], i) =>
        `<path d="M${2 + i * 140} 24h12v12h-12z" fill="${colours[origin as Frame["origin"]]}"/><text x="${18 + i * 140}" y="34">${label}</text>`,
    )
    .join("");
  const height = top + (depthSeen + 1) * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10"><text x="2" y="14" font-size="13">${escape(title)}</text>${legend}
${boxes.join("\n")}
</svg>\n`;
}
