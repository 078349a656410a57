import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson, isObject, asString } from "../lib/core/json.ts";
import { WIRE_VERSION } from "../lib/wire/version.ts";

export interface VersionInfo {
  readonly version: string;
  /** What servers and daemons are told (decision 9). */
  readonly wire_version: string;
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly os: string;
  readonly arch: string;
}

/** What this installation is; `dist/build.json` of a release adds commit and date. */
export function versionInfo(root: string): VersionInfo {
  const build = readObject(join(root, "dist", "build.json"));
  return {
    version: asString(readObject(join(root, "package.json"))["version"]) || "0.0.0",
    wire_version: WIRE_VERSION,
    commit: asString(build["commit"]) || "unknown",
    date: asString(build["date"]) || "unknown",
    node: process.version,
    os: process.platform === "win32" ? "windows" : process.platform,
    arch: process.arch,
  };
}

/** The text of `multica version`. Programs read its first line: the shape is fixed (cli.md 5.22). */
export function versionText(root: string): string {
  const info = versionInfo(root);
  return (
    `multica ${info.version} (commit: ${info.commit}, built: ${info.date})\n` +
    `node ${info.node}, ${info.os}/${info.arch}, server contract ${info.wire_version}\n`
  );
}

function readObject(path: string): Record<string, unknown> {
  try {
    const value = parseJson(readFileSync(path, "utf8"));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
