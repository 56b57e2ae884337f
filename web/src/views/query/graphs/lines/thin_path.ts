// The path of one line among many: what falls on the same pixels is drawn once. Of each column of
// pixels the lowest, the highest and the last value stay, so that no peak is lost.

import uPlot from "uplot";

const usual = uPlot.paths.linear?.();

export function thinPath(plot: uPlot, series: number, first: number, last: number): uPlot.Series.Paths | null {
  if ((plot.scales["y"]?.distr ?? 1) !== 1) return usual?.(plot, series, first, last) ?? null;
  const times = plot.data[0];
  const values = plot.data[series];
  if (!values) return null;
  const [timeFactor, timeZero] = straight(plot, "x");
  const [factor, zero] = straight(plot, "y");
  const path = new Path2D();
  let drawing = false; // whether there is a value before this one
  let column = 0;
  let [low, high, end] = [0, 0, 0]; // of the column
  let [atX, atY] = [0, 0]; // where the line has come to
  let level = false; // whether the path has not come there: it goes along a level in one step
  const flush = () => {
    if (low === high && end === atY) {
      atX = column;
      level = true;
      return;
    }
    if (level) path.lineTo(atX, atY);
    level = false;
    if (low !== end) path.lineTo(column, low);
    if (high !== end) path.lineTo(column, high);
    path.lineTo(column, end);
    [atX, atY] = [column, end];
  };
  const finish = () => {
    if (!drawing) return;
    flush();
    if (level) path.lineTo(atX, atY);
    drawing = level = false;
  };
  for (let at = first; at <= last; at += 1) {
    const value = values[at];
    if (value === null || value === undefined) {
      finish();
      continue;
    }
    const x = Math.round(timeFactor * (times[at] ?? 0) + timeZero);
    const y = Math.round(factor * value + zero);
    if (drawing && x === column) {
      if (y < low) low = y;
      if (y > high) high = y;
      end = y;
      continue;
    }
    if (drawing) flush();
    else {
      path.moveTo(x, y);
      [atX, atY] = [x, y];
    }
    drawing = true;
    column = x;
    low = high = end = y;
  }
  finish();
  return { stroke: path, fill: null, clip: null, flags: 0 };
}

/** (factor, zero) with which a value of a linear axis becomes a place in pixels of the canvas. */
function straight(plot: uPlot, axis: string): [number, number] {
  const { min = 0, max = 1 } = plot.scales[axis] ?? {};
  const [from, to] = [min ?? 0, max ?? 1];
  const begin = plot.valToPos(from, axis, true);
  const factor = from === to ? 0 : (plot.valToPos(to, axis, true) - begin) / (to - from);
  return [factor, begin - factor * from];
}
