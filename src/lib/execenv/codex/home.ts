import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { errorText, systemCode } from "../../core/index.ts";
import { copyFile, ensureDir, pathExists, readTextIfExists, writeFileAtomic } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import { linkDirectory, linkFile } from "./links.ts";
import { copyReferencedFiles } from "./referenced.ts";
import { applySandboxBlock } from "./sandbox-block.ts";
import type { SandboxPolicy } from "./sandbox-policy.ts";

export interface CodexHomeInput {
  readonly home: string;
  readonly sharedHome: string;
  readonly policy: SandboxPolicy;
  readonly logger: Logger;
}

/**
 * Makes the task's CODEX_HOME, or completes it: links into the shared home, copies of files that are missing, the
 * managed sandbox block (execenv.md 7.2, 7.9). Content that exists is never replaced; on a complete home it writes
 * nothing. Throws when Codex could not start in it or the block cannot be written: a looser policy must not stand.
 */
export async function ensureCodexHome(input: CodexHomeInput): Promise<void> {
  const { home, sharedHome, logger } = input;
  if (!(await pathExists(home))) await ensureDir(home, 0o700);
  await soft(logger, "sessions", async () => {
    const state = await linkDirectory(join(home, "sessions"), join(sharedHome, "sessions"));
    if (state === "file" || state === "directory") logger.warn("codex-home: sessions is not a link and stays as it is", { path: home, state });
  });
  await soft(logger, "auth.json", () => linkFile(join(home, "auth.json"), join(sharedHome, "auth.json")));
  for (const name of ["config.json", "instructions.md"]) await soft(logger, name, () => copyIfMissing(home, sharedHome, name));
  await soft(logger, "plugins/cache", () => linkDirectory(join(home, "plugins", "cache"), join(sharedHome, "plugins", "cache")));
  const config = await ensureConfig(input);
  await copyReferencedFiles(home, sharedHome, config);
}

/** Seeds `config.toml` from the shared one when missing and keeps the managed block right; returns the text. */
async function ensureConfig({ home, sharedHome, policy, logger }: CodexHomeInput): Promise<string> {
  const path = join(home, "config.toml");
  // A link here would make us write into the user's own file: take its content, then replace the link.
  const linked = await isLink(path);
  const present = linked ? undefined : await readTextIfExists(path);
  const text = present ?? (await readTextIfExists(join(sharedHome, "config.toml"))) ?? "";
  const wanted = applySandboxBlock(text, policy.mode);
  if (present === wanted) return wanted;
  await writeFileAtomic(path, wanted, { mode: 0o600 });
  const fields = { path, mode: policy.mode, reason: policy.reason };
  if (policy.mode === "danger-full-access") {
    logger.warn("codex runs without its sandbox; set MULTICA_CODEX_SANDBOX=workspace-write to force it", fields);
  } else logger.info("codex sandbox set", fields);
  return wanted;
}

async function copyIfMissing(home: string, sharedHome: string, name: string): Promise<void> {
  const target = join(home, name);
  if (await pathExists(target)) return;
  try {
    await copyFile(join(sharedHome, name), target, { mode: 0o600 });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function soft(logger: Logger, entry: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn("codex-home: an entry could not be made", { entry, error: errorText(error) });
  }
}
