/** One benchmark's line. `within` is null when no budget is set for it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: number | null;
  readonly within: boolean | null;
  readonly detail?: Readonly<Record<string, number>>;
}

/** The value below which `share` (0…1) of the sorted samples lie. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function figure(
  name: string,
  value: number,
  unit: string,
  options: { budget?: number; detail?: Readonly<Record<string, number>> } = {},
): Figure {
  const rounded = Math.round(value * 1000) / 1000;
  return {
    name,
    value: rounded,
    unit,
    budget: options.budget ?? null,
    within: options.budget === undefined ? null : rounded <= options.budget,
    ...(options.detail === undefined ? {} : { detail: options.detail }),
  };
}
