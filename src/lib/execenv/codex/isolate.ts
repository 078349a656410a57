import { lstatSync, readdirSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { createLink, ensureDir, linkFile, makeDirectory, removeFile } from "../../platform/index.ts";
import { rolloutsBelow } from "./adopt.ts";
import { isStoreLink } from "./session-store.ts";

/**
 * Gives a home sessions of its own (execenv.md 7.7): the link to the shared history goes, and with it only the database
 * that Codex derives from what it sees there. They are a directory of the home, or a link to the conversation's store: in a
 * user's directory, and when a conversation goes on that began in the shared history. The rollout to resume is linked in,
 * never copied: it can be gigabytes. Each step may be repeated after a kill.
 */
export async function isolateSessions(input: { home: string; shared: string; resume: string; store: string | null; linkStore: boolean }): Promise<void> {
  const { home, store } = input;
  const sessions = join(home, "sessions");
  const legacy = lstatSync(sessions, { throwIfNoEntry: false })?.isSymbolicLink() === true && !(store !== null && isStoreLink(home, store));
  const resume = /^[A-Za-z0-9_-]+$/.test(input.resume) ? input.resume : "";
  if (legacy) for (const name of readdirSync(home)) if (/^state_\d+\.sqlite(-shm|-wal)?$/.test(name)) await removeFile(join(home, name));
  if (store !== null && (input.linkStore || (legacy && resume !== ""))) {
    await ensureDir(store, 0o700);
    await bringIn(input.shared, store, resume);
    await createLink(store, sessions);
    return;
  }
  if (legacy) await removeFile(sessions);
  if (store !== null && isStoreLink(home, store)) await ensureDir(store, 0o700);
  else await makeDirectory(sessions);
  await bringIn(input.shared, sessions, resume);
}

async function bringIn(shared: string, sessions: string, resume: string): Promise<void> {
  if (resume === "") return;
  const wanted = rolloutsBelow(shared).filter((path) => new RegExp(`-${resume}\\.jsonl(\\.zst)?$`).test(basename(path)));
  for (const path of wanted) {
    const target = join(sessions, relative(shared, path));
    await ensureDir(join(target, ".."));
    // Across volumes a symbolic link is what is left.
    if (!(await linkFile(path, target)) && lstatSync(target, { throwIfNoEntry: false }) === undefined) await createLink(path, target);
  }
}
