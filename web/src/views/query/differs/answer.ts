// The answer about what differs: fields with the shares of their values on both sides.

export interface Side {
  events: number;
  share: number;
}

export interface Sides {
  inside: Side;
  outside: Side;
}

interface Ranked {
  name: string;
  score: number;
  confidence: number;
  sampled: boolean;
  missing: Sides;
}

export interface ValueField extends Ranked {
  kind: "values";
  values: (Sides & { value: unknown })[];
  others?: Sides & { values: number };
}

export interface Quartiles {
  median: number | null;
  p25: number | null;
  p75: number | null;
}

export interface NumberField extends Ranked {
  kind: "numbers";
  inside: Quartiles;
  outside: Quartiles;
  histogram: (Sides & { from: number; to: number })[];
}

export type DifferingField = ValueField | NumberField;

export type SameField = DifferingField & { why: "selection" | "follows"; from?: string };

/** A share as people say it: 97 %, 3.2 %. */
export function percent(share: number): string {
  const part = share * 100;
  if (part === 0 || part === 100) return `${part} %`;
  if (part < 0.1) return "< 0.1 %";
  if (part > 99.9) return "> 99.9 %";
  return `${part < 10 || part > 99 ? part.toFixed(1) : Math.round(part)} %`;
}

/** How much more frequent inside; what is rarer inside says a little less. */
export function telling({ inside, outside }: Sides): number {
  const more = inside.share - outside.share;
  return more > 0 ? more : -0.9 * more;
}
