import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Env, envValue, isExecutableFile } from "../../platform/index.ts";
import { compareVersions } from "./version.ts";

/** Directories below which a manager keeps one directory a version, and where programs lie in it. */
const VERSIONED: readonly { readonly variable: string; readonly place: string; readonly below: string; readonly bin: string }[] = [
  { variable: "NVM_DIR", place: ".nvm", below: "versions/node", bin: "bin" },
  { variable: "FNM_DIR", place: ".local/share/fnm", below: "node-versions", bin: "installation/bin" },
  { variable: "N_PREFIX", place: "n", below: "n/versions/node", bin: "bin" },
];
const PLAIN: readonly { readonly variable: string; readonly place: string; readonly bin: string }[] = [
  { variable: "VOLTA_HOME", place: ".volta", bin: "bin" },
  { variable: "MISE_DATA_DIR", place: ".local/share/mise", bin: "shims" },
  { variable: "ASDF_DATA_DIR", place: ".asdf", bin: "shims" },
  { variable: "BUN_INSTALL", place: ".bun", bin: "bin" },
  { variable: "PNPM_HOME", place: ".local/share/pnpm", bin: "" },
];

/**
 * A command in the directories of version managers, newest version first: for users whose shell cannot be asked. The file
 * found is not pinned further, because shims look at the name they are called by.
 */
export function inVersionManagers(command: string, host: { readonly env: Readonly<Env>; readonly home: string }): string | null {
  const root = (variable: string, place: string): string => envValue(host.env, variable) ?? join(host.home, place);
  const versioned = VERSIONED.flatMap(({ variable, place, below, bin }) => {
    const directory = join(root(variable, place), below);
    return versionsIn(directory).map((version) => join(directory, version, bin));
  });
  const plain = PLAIN.map(({ variable, place, bin }) => join(root(variable, place), bin));
  return [...versioned, ...plain].map((directory) => join(directory, command)).find(isExecutableFile) ?? null;
}

function versionsIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort((a, b) => compareVersions(b, a));
  } catch {
    return [];
  }
}
