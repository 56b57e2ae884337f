// What is noted inside of the page while it is measured; it runs before the page's own script.

export function watch() {
  const noted = { frames: [], marks: [], entered: null };
  const observe = (type, into) => {
    try {
      new PerformanceObserver((list) => into.push(...list.getEntries())).observe({ type, buffered: true });
    } catch {
      // a browser without this kind
    }
  };
  observe("long-animation-frame", noted.frames);
  observe("measure", noted.marks);
  addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter" && event.ctrlKey) noted.entered = event.timeStamp;
    },
    true,
  );
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  // After the frame that is being made was shown.
  const afterFrame = async () => {
    await frame();
    await new Promise((done) => setTimeout(done, 0));
    return performance.now();
  };
  // Tests at every frame. Throws when nobody would wait any longer.
  const become = async (test, what) => {
    const until = performance.now() + 60_000;
    for (let found = test(); ; found = test()) {
      if (found) return found;
      if (performance.now() > until) throw new Error(`waited a minute for ${what}`);
      await frame();
    }
  };
  const graphs = () => noted.marks.filter((one) => one.name === "bellwether draw");
  const calls = () => performance.getEntriesByType("resource").filter((one) => /\/1\/query_results\//.test(one.name));
  globalThis.watched = {
    async until(test) {
      await become(test, "what is to be shown");
      return afterFrame();
    },
    async drawn(least) {
      await become(() => graphs().length > least, "a graph");
    },
    clear() {
      performance.clearResourceTimings();
      for (const list of [noted.frames, noted.marks]) list.length = 0;
      noted.entered = null;
    },
    // Until the answer to what Ctrl-Enter asked is drawn.
    async answered() {
      const found = () => graphs().find((one) => one.startTime > (calls().at(-1)?.responseEnd ?? Infinity));
      const draw = await become(found, "the answer's graph");
      const shown = await afterFrame();
      const call = calls().at(-1);
      return {
        total: shown - noted.entered,
        drawn: draw.startTime + draw.duration - noted.entered,
        inPage: call.responseEnd - call.startTime,
        before: call.startTime - noted.entered,
        after: draw.startTime + draw.duration - call.responseEnd,
      };
    },
    // What was noted since it was cleared.
    told() {
      const measures = {};
      for (const { name, duration } of noted.marks) measures[name] = (measures[name] ?? 0) + duration;
      const long = noted.frames.map((one) => one.duration);
      return { measures, plots: noted.marks.filter((one) => one.name === "bellwether set up plot").length, longFrames: long.length, longestFrame: long.length ? Math.max(...long) : null };
    },
    // Scrolls down by three rows a frame, and every tenth frame by a screen.
    async scroll(selector, count) {
      const box = document.querySelector(selector);
      const took = [];
      let rows = 0;
      let last = await frame();
      for (let at = 0; at < count; at += 1) {
        box.scrollTop += at % 10 === 9 ? box.clientHeight : 72;
        const now = await frame();
        took.push(now - last);
        last = now;
        rows = Math.max(rows, box.querySelectorAll(".trace-row").length);
      }
      took.sort((a, b) => a - b);
      const part = (share) => took[Math.min(took.length - 1, Math.floor(share * took.length))];
      return { median: part(0.5), p95: part(0.95), worst: took.at(-1), rows, scrolledTo: box.scrollTop };
    },
  };
}
