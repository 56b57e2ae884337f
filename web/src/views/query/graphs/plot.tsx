// One uPlot in the page: as wide as its place, made anew when what it shows is another.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { listenToKeys, type Keyed } from "./keyed";
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
  /** What its keys do. */
  keyed: Keyed;
}

const NARROWEST = 200;
/** Shown while a graph has the focus of the keyboard. */
const HINT = "Arrows move, with Shift they select, Enter asks about it, Esc lets go";

export function Plot({ of, height, label, make, onPlot, keyed }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const words = useRef<HTMLParagraphElement>(null);
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
    const tell = (said: string) => void (words.current && (words.current.textContent = said));
    const endKeys = listenToKeys(plot, box, tell, keyed);
    const watcher = new ResizeObserver(() => {
      if (width() !== plot.width) plot.setSize({ width: width(), height });
    });
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      end?.();
      endKeys();
      plot.destroy();
    };
  }, [of, height]);
  // The height is there before the plot is: nothing jumps.
  return (
    <div class="plot-frame">
      <div
        ref={place}
        class="plot"
        role="application"
        aria-label={`${label}. ${HINT}`}
        tabIndex={0}
        style={{ minHeight: `${height}px` }}
      />
      <p class="plot-hint small quiet" aria-hidden="true">{HINT}</p>
      <p class="hidden" role="status" ref={words} />
    </div>
  );
}
