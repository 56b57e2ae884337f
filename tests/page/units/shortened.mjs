// What the page makes of many things: node shortened.mjs FOLDER, with the page's sources.
// Reads JSON: pairs of traces' lines, and lines of a graph. Prints rows of pairs, and drawn points.

import { readFileSync } from "node:fs";
import { bundled } from "./bundled.mjs";

const exports =
  'export { aligned } from "./views/traces/two/aligned"; export { thinPath } from "./views/query/graphs/lines/thin_path";';
const { aligned, thinPath } = await bundled(exports, process.argv[2]);

const points = [];
globalThis.Path2D = class {
  moveTo(x, y) {
    points.push(["M", x, y]);
  }
  lineTo(x, y) {
    points.push(["L", x, y]);
  }
};

function drawn({ values, width, height }) {
  points.length = 0;
  const most = Math.max(1, ...values.filter((one) => one !== null));
  const plot = {
    data: [values.map((_, at) => at), values],
    scales: { x: { min: 0, max: Math.max(1, values.length - 1) }, y: { min: 0, max: most } },
    valToPos(value, axis) {
      const { min, max } = this.scales[axis];
      const part = (value - min) / (max - min);
      return axis === "x" ? part * width : (1 - part) * height;
    },
  };
  thinPath(plot, 1, 0, values.length - 1);
  return [...points];
}

const told = JSON.parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify({
    pairs: told.pairs.map(([one, other]) =>
      aligned(one, other).map((row) => [row.here?.span_id ?? null, row.there?.span_id ?? null, row.again]),
    ),
    lines: told.lines.map(drawn),
  }),
);
