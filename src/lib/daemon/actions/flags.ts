import { isObject } from "../../core/index.ts";

/** Switches that servers of the base generation send with a heartbeat (server-api.md 4.3). */
export interface FeatureFlags {
  readonly version: number;
  readonly flags: Readonly<Record<string, string>>;
}

/** The newer of the two snapshots; what is no snapshot changes nothing. */
export function newerFlags(known: FeatureFlags | null, sent: unknown): FeatureFlags | null {
  if (!isObject(sent) || typeof sent["version"] !== "number" || !isObject(sent["flags"])) return known;
  if (known !== null && sent["version"] < known.version) return known;
  const flags = Object.fromEntries(Object.entries(sent["flags"]).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  return { version: sent["version"], flags };
}
