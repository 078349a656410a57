import { homedir, hostname, tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The user's home: `HOME` of the given environment, else the account's. */
export function homeDir(env: Readonly<Record<string, string | undefined>>): string {
  const home = env["HOME"]?.trim();
  return home !== undefined && home !== "" ? home : homedir();
}

export function machineName(): string {
  return hostname();
}

export function tempRoot(): string {
  return tmpdir();
}

/** True for a regular file that this user may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** True when `path` is `root` or below it. Both must be absolute and already resolved. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** The directory of our own `package.json`: bundles and sources lie at different depths below it. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "oclif.manifest.json")) && !existsSync(join(directory, "bin", "run.js"))) {
    const parent = dirname(directory);
    if (parent === directory) return resolve(".");
    directory = parent;
  }
  return directory;
}

/** How to start this product again: absolute Node binary and absolute script. */
export function selfCommand(): { node: string; script: string } {
  return { node: process.execPath, script: join(packageRoot(), "bin", "run.js") };
}
