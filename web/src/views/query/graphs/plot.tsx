// One uPlot in the page: as wide as its place, made anew when what it shows is another.

import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { note, timed } from "../../../parts/timed";

interface Props {
  /** Made anew when this changes. */
  of: unknown;
  height: number;
  /** What it shows, for those who do not see it. */
  label: string;
  make: (width: number) => { options: uPlot.Options; data: uPlot.AlignedData };
  /** Called with each plot made; what it returns ends it. */
  onPlot?: (plot: uPlot) => (() => void) | undefined;
}

const NARROWEST = 200;

export function Plot({ of, height, label, make, onPlot }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const width = () => Math.max(NARROWEST, Math.floor(box.clientWidth));
    const { options, data } = timed("make series", () => make(width()));
    let began = 0;
    const { drawClear = [], draw = [] } = options.hooks ?? {};
    const hooks: uPlot.Hooks.Arrays = {
      ...options.hooks,
      drawClear: [() => (began = performance.now()), ...drawClear],
      draw: [...draw, () => note("draw", began)],
    };
    const plot = timed("set up plot", () => new uPlot({ ...options, hooks }, data, box));
    const end = onPlot?.(plot);
    const watcher = new ResizeObserver(() => {
      if (width() !== plot.width) plot.setSize({ width: width(), height });
    });
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      end?.();
      plot.destroy();
    };
  }, [of, height]);
  // The height is there before the plot is: nothing jumps.
  return <div ref={place} class="plot" role="img" aria-label={label} style={{ minHeight: `${height}px` }} />;
}
