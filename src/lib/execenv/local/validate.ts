import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join, parse, resolve } from "node:path";
import { MulticaError, randomHex, systemCode } from "../../core/index.ts";
import { realPathIfExists, removeFile, tempRoot, writeFileIfAbsent } from "../../platform/index.ts";

const FORBIDDEN = ["/Users", "/Users/Shared", "/home", "/root", "/var", "/etc", "/usr", "/opt", "/tmp", "/var/tmp"];

/**
 * The real path of a user's directory that a task may work in (execenv.md 11.1). Throws `local_directory_error` with a
 * text of its own for each cause. Compared by equality: a project below a user's home is fine, the home is not.
 */
export async function checkLocalDirectory(path: string, home: string): Promise<string> {
  if (!isAbsolute(path)) throw refused(path, "is not an absolute path");
  const forbidden = [parse(path).root, ...FORBIDDEN, tempRoot(), home].map((entry) => resolve(entry));
  const literal = resolve(path);
  if (forbidden.includes(literal)) throw refused(path, "is a system directory or a home, not a project");
  const real = realPathIfExists(literal);
  if (real === undefined) throw refused(path, "does not exist");
  const resolved = forbidden.map((entry) => realPathIfExists(entry) ?? entry);
  if (resolved.includes(real)) throw refused(path, `leads to ${real}, a system directory or a home`);
  if (!statSync(real).isDirectory()) throw refused(path, "is not a directory");
  if (!isReadable(real)) throw refused(path, "cannot be read");
  await probe(path, real);
  return real;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Rights alone do not tell: a mount may be read-only. */
async function probe(path: string, real: string): Promise<void> {
  const file = join(real, `.multica-rwcheck-${randomHex(6)}`);
  try {
    await writeFileIfAbsent(file, "");
    await removeFile(file);
  } catch (error) {
    throw refused(path, `cannot be written to (${systemCode(error) ?? "unknown reason"})`);
  }
}

function refused(path: string, why: string): MulticaError {
  return new MulticaError("local_directory_error", `the local directory ${path} ${why}`, { details: { reason: "local_directory_error" } });
}
