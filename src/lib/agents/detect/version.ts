const SEMVER = /v?(\d+)\.(\d+)\.(\d+)/;

/**
 * The version in what `--version` printed: the first line with `x.y.z`, whole and trimmed, stdout before stderr
 * (real-agents.md 3, finding 5); without one, everything that stdout said.
 */
export function pickVersion(stdout: string, stderr: string): string {
  for (const text of [stdout, stderr]) {
    const line = text.split(/\r?\n/).find((candidate) => SEMVER.test(candidate));
    if (line !== undefined) return line.trim();
  }
  return stdout.trim();
}

/** Why this version may not be used, or null. No minimum accepts anything, even nothing (agents.md 3.6). */
export function versionRefusal(provider: string, version: string, minimum: string | null): string | null {
  if (minimum === null) return null;
  const found = numbers(version);
  const wanted = numbers(minimum);
  if (found === null || wanted === null) return `cannot parse detected ${provider} version ${JSON.stringify(version)}`;
  return compare(found, wanted) >= 0 ? null : `${provider} version ${version} is below minimum required ${minimum} — please upgrade`;
}

/** True when the version can be read and is lower than the minimum. */
export function isBelow(version: string, minimum: string | null): boolean {
  const found = numbers(version);
  const wanted = minimum === null ? null : numbers(minimum);
  return found !== null && wanted !== null && compare(found, wanted) < 0;
}

/** Negative, zero or positive by the first `x.y.z` of each; a text without one counts as 0.0.0. */
export function compareVersions(a: string, b: string): number {
  return compare(numbers(a) ?? [0, 0, 0], numbers(b) ?? [0, 0, 0]);
}

type Numbers = readonly [number, number, number];

function numbers(text: string): Numbers | null {
  const match = SEMVER.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

function compare(a: Numbers, b: Numbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
