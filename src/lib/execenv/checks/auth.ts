import { lstat, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createLink, readRegularFile } from "../../platform/index.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, isReadable, keepCopy, linkState, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const ENTRY = "auth.json";

/**
 * `auth.json`: a link to the user's credentials, so that a refreshed token reaches both sides (execenv.md 7.3). Without
 * credentials to link to nothing is touched: what lies here may be the only ones. Contents are compared, never shown.
 */
export const authCheck: Check = {
  id: "auth",
  section: "codex",
  codes: ["CH_AUTH_MISSING", "CH_AUTH_BROKEN", "CH_AUTH_WRONG_TARGET", "CH_AUTH_STALE_COPY", "CH_AUTH_DIVERGED_COPY", "CH_AUTH_NOT_FILE", "CH_AUTH_SOURCE_MISSING"],

  async check(context) {
    if (context.codex === undefined) return [];
    const source = join(context.codex.sharedHome, ENTRY);
    const kind = await placeKind(context, ENTRY);
    const say = (code: Parameters<typeof finding>[0], actual: string): Finding[] => [finding(code, { path: shown(ENTRY), expected: `link → ${source}`, actual })];
    if ((await reachable(source)) !== "file" || !(await isReadable(source))) return [await withoutSource(context, source, kind)];
    if (kind === "absent") return say("CH_AUTH_MISSING", "absent");
    if (kind === "link") {
      const { state, text } = await linkState(context, ENTRY, source);
      if (state === "right") return [];
      return state === "broken" ? say("CH_AUTH_BROKEN", `broken link → ${text}`) : say("CH_AUTH_WRONG_TARGET", `link → ${text}`);
    }
    if (kind !== "file") return say("CH_AUTH_NOT_FILE", kind);
    if (!(await isReadable(homePath(context, ENTRY)))) return say("CH_AUTH_DIVERGED_COPY", "a file that cannot be read");
    const copy = await copyState(homePath(context, ENTRY), source);
    return copy.newer && !copy.same ? say("CH_AUTH_DIVERGED_COPY", "a newer file that differs") : say("CH_AUTH_STALE_COPY", copy.same ? "a copy" : "an older file that differs");
  },

  async repair(context, found) {
    const source = join(context.codex?.sharedHome ?? "", ENTRY);
    let backup: string | undefined;
    const kind = await placeKind(context, ENTRY);
    // What cannot be read cannot be compared or copied: it is moved as it is.
    if (found.code === "CH_AUTH_NOT_FILE" || (kind === "file" && !(await isReadable(homePath(context, ENTRY))))) backup = await moveAside(context, ENTRY);
    else if (kind === "file" && !(await copyState(homePath(context, ENTRY), source)).same) backup = await keepCopy(context, ENTRY);
    await createLink(source, homePath(context, ENTRY));
    return { backup };
  },
};

async function withoutSource(context: CheckContext, source: string, kind: string): Promise<Finding> {
  const facts = { path: shown(ENTRY), expected: `the user's credentials at ${source}` };
  if (kind !== "link") return finding("CH_AUTH_SOURCE_MISSING", { ...facts, actual: kind === "absent" ? "no credentials" : `a ${kind} of its own, kept` });
  const { state, text } = await linkState(context, ENTRY, source);
  return finding("CH_AUTH_SOURCE_MISSING", { ...facts, actual: `link → ${text}`, severity: state === "elsewhere" ? "info" : "warn" });
}

async function copyState(path: string, source: string): Promise<{ same: boolean; newer: boolean }> {
  const own = await readRegularFile(path);
  const same = own?.equals(await readFile(source)) === true;
  return { same, newer: (await lstat(path)).mtimeMs > (await stat(source)).mtimeMs };
}
