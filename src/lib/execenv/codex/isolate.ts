import { lstatSync, readdirSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { createLink, ensureDir, linkFile, makeDirectory, removeFile } from "../../platform/index.ts";
import { rolloutsBelow } from "./adopt.ts";

/**
 * Gives a home sessions of its own (execenv.md 7.7): the link to the shared history goes, and with it only the database
 * that Codex derives from what it sees there. The rollout to resume is linked in, never copied: it can be gigabytes.
 * Each step may be repeated after a kill.
 */
export async function isolateSessions(input: { home: string; shared: string; resume: string }): Promise<void> {
  const sessions = join(input.home, "sessions");
  const legacy = lstatSync(sessions, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (legacy) {
    for (const name of readdirSync(input.home)) if (/^state_\d+\.sqlite(-shm|-wal)?$/.test(name)) await removeFile(join(input.home, name));
    await removeFile(sessions);
  }
  await makeDirectory(sessions);
  if (!/^[A-Za-z0-9_-]+$/.test(input.resume)) return;
  const wanted = rolloutsBelow(input.shared).filter((path) => new RegExp(`-${input.resume}\\.jsonl(\\.zst)?$`).test(basename(path)));
  for (const path of wanted) {
    const target = join(sessions, relative(input.shared, path));
    await ensureDir(join(target, ".."));
    // Across volumes a symbolic link is what is left.
    if (!(await linkFile(path, target)) && lstatSync(target, { throwIfNoEntry: false }) === undefined) await createLink(path, target);
  }
}
