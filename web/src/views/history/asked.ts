// Questions that were asked before, as the API tells of them.

export interface Asked {
  time: string;
  dataset?: string;
  /** The question as text; null for one that has none. */
  text?: string | null;
  key_name?: string;
  /** Of its answer, as long as that is kept. */
  result?: string;
  status?: number;
  error?: string;
  duration_ms?: number;
  rows_read?: number;
}

export interface Told extends Asked {
  /** How often it was asked, on this page of the history. */
  times: number;
}

/** Each question once, where it was asked last; what has no text cannot be asked again here. */
export function folded(all: readonly Asked[]): Told[] {
  const found = new Map<string, Told>();
  for (const one of all) {
    if (!one.text) continue;
    const key = JSON.stringify([one.dataset, one.text, one.key_name]);
    const known = found.get(key);
    if (known) known.times += 1;
    else found.set(key, { ...one, times: 1 });
  }
  return [...found.values()];
}
