// How long parts of the page take: seen in a browser's performance panel, and by the benchmark.

/** Does the work and notes how long it took under its name. Only the last time of each name is kept. */
export function timed<T>(name: string, work: () => T): T {
  const start = performance.now();
  try {
    return work();
  } finally {
    note(name, start);
  }
}

/** Notes that something took from `start`, of `performance.now()`, until now. */
export function note(name: string, start: number): void {
  const full = `bellwether ${name}`;
  performance.clearMeasures(full);
  performance.measure(full, { start });
}
