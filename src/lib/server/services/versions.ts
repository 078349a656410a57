/** A daemon of an older version lacks the feature; 422 bodies carry these words (server-api.md 4.1, 13.3.6, 13.8). */
export const VERSION_UNSUPPORTED = "daemon_version_unsupported";

/**
 * Whether a daemon's `cli_version` reaches `minimum` (x.y.z). The first x.y.z of the text counts; a text without one is
 * refused, and a version between two releases (`0.3.39-5-gabc123`) passes every gate (server-api.md 4.1).
 */
export function reachesVersion(version: string, minimum: string): boolean {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (found === null) return false;
  if (/\d+\.\d+\.\d+-\d+-g[0-9a-f]+/.test(version)) return true;
  const wanted = minimum.split(".").map(Number);
  for (let index = 0; index < 3; index += 1) {
    const difference = Number(found[index + 1]) - (wanted[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
