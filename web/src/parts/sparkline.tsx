// A line without axes: what a number did lately.

interface Props {
  values: readonly (number | null)[];
  label: string;
  width?: number;
  height?: number;
}

export function Sparkline({ values, label, width = 120, height = 24 }: Props) {
  const most = Math.max(...values.map((value) => value ?? 0), 0);
  const step = width / Math.max(values.length, 1);
  const bars = values.map((value, at) => {
    const tall = most > 0 && value ? Math.max(1, (value / most) * (height - 2)) : 0;
    return `M${(at * step).toFixed(1)} ${height}v${-tall.toFixed(1)}h${Math.max(step - 1, 0.5).toFixed(1)}v${tall.toFixed(1)}z`;
  });
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--line)" />
      <path d={bars.join("")} fill="var(--quiet)" />
    </svg>
  );
}
