import type { UpdateSettings } from "../../config/index.ts";
import { MulticaError, asString, errorText, isObject, parseJson } from "../../core/index.ts";
import { runShort } from "../../platform/process/run-short.ts";

/** Where this product's releases come from, and how one is installed (daemon.md 16.4). */
export interface ReleaseSource {
  /** The newest version. Rejects when the source cannot be read. */
  latest(signal: AbortSignal): Promise<string>;
  /** Installs exactly this version. Rejects with what the installation said; for a version the source does not know, before it. */
  install(version: string, signal: AbortSignal): Promise<void>;
}

const FETCH_MS = 15_000;
const INSTALL_MS = 10 * 60_000;

/** The configured source; null when there is none: another product's release is never a substitute. */
export function releaseSource(settings: Pick<UpdateSettings, "releaseUrl" | "command">, env: Readonly<Record<string, string>>): ReleaseSource | null {
  const { releaseUrl, command } = settings;
  const [program, ...args] = command;
  if (releaseUrl === undefined || program === undefined) return null;
  return {
    latest: async (signal) => (await readReleases(releaseUrl, signal)).latest,
    install: async (version, signal) => {
      const { latest, versions } = await readReleases(releaseUrl, signal);
      const wanted = version.replace(/^v/, "");
      if (![latest, ...versions].some((known) => known.replace(/^v/, "") === wanted)) {
        throw new MulticaError("unknown_release", `the release source knows no version ${version} (its latest is ${latest})`);
      }
      const fill = (word: string): string => word.replaceAll("{version}", wanted);
      const result = await runShort({ command: program, args: args.map(fill), env: { ...env }, timeoutMs: INSTALL_MS, signal });
      if (result.code === 0) return;
      const said = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-3).join(" ");
      throw new MulticaError("update_failed", `the update command ${result.timedOut ? "did not end in time" : `ended with ${result.code ?? "a signal"}`}: ${said}`);
    },
  };
}

async function readReleases(url: string, signal: AbortSignal): Promise<{ readonly latest: string; readonly versions: readonly string[] }> {
  const unreadable = (why: string, cause?: unknown): MulticaError => new MulticaError("release_source", `the release source ${url} cannot be read: ${why}`, { cause });
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]) }).catch((error: unknown) => {
    throw unreadable(errorText(error), error);
  });
  if (!response.ok) throw unreadable(`status ${response.status}`);
  const body = parseJson(await response.text());
  const latest = isObject(body) ? asString(body["version"]) : "";
  if (latest === "") throw unreadable("it names no version");
  const versions = isObject(body) && Array.isArray(body["versions"]) ? body["versions"].map((one) => asString(one)) : [];
  return { latest, versions };
}

/** `x.y.z` exactly, with or without a `v`; null for everything else: a development build is never older than a release. */
export function releaseTriple(version: string): readonly [number, number, number] | null {
  const match = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version.trim());
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** True when both are releases and the first is the newer one. */
export function isNewer(candidate: string, present: string): boolean {
  const [a, b] = [releaseTriple(candidate), releaseTriple(present)];
  if (a === null || b === null) return false;
  return (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) > 0;
}
