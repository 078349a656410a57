import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { MulticaError } from "../../core/index.ts";

/**
 * The file that `name` stands for, looked up in the command's own PATH, because a terminal's spawn reports neither a missing
 * command nor a missing directory (exec-sessions.md 16.4). Throws `cwd_not_found`, `command_not_found`, `not_executable`.
 */
export function findCommand(name: string, cwd: string, env: Readonly<Record<string, string>>): string {
  if (!isDirectory(cwd)) throw new MulticaError("cwd_not_found", `no such directory: ${cwd}`);
  const candidates = name.includes("/")
    ? [isAbsolute(name) ? name : resolve(cwd, name)]
    : (env["PATH"] ?? "/usr/bin:/bin").split(delimiter).map((directory) => resolve(cwd, join(directory === "" ? "." : directory, name)));
  const files = candidates.filter(isFile);
  const executable = files.find(isExecutable);
  if (executable !== undefined) return executable;
  const [found] = files;
  if (found !== undefined) throw new MulticaError("not_executable", `not executable: ${found}`);
  throw new MulticaError("command_not_found", `command not found: ${name}`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
