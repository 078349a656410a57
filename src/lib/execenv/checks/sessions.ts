import { join } from "node:path";
import { createLink, ensureDir } from "../../platform/index.ts";
import { adoptRollouts } from "../codex/adopt.ts";
import { isolateSessions } from "../codex/isolate.ts";
import { type Check, type CheckContext, type Repaired, finding } from "./check.ts";
import { homePath, isReadable, linkState, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const ENTRY = "sessions";

/** `sessions`: the link to the user's history, or a directory of its own (execenv.md 7.3, 7.7). History is never removed. */
export const sessionsCheck: Check = {
  id: "sessions",
  section: "codex",
  codes: ["CH_SESSIONS_MISSING", "CH_SESSIONS_BROKEN", "CH_SESSIONS_WRONG_TARGET", "CH_SESSIONS_REAL_DIR", "CH_SESSIONS_NOT_DIR", "CH_SESSIONS_LEGACY_LINK"],

  async check(context) {
    if (context.codex === undefined) return [];
    return context.codex.sessionsMode === "shared" ? checkShared(context) : checkIsolated(context);
  },

  async repair(context, found) {
    const { codex } = context;
    if (codex === undefined) return {};
    if (codex.sessionsMode === "isolated") return repairIsolated(context, found);
    let kept: Repaired = {};
    if (found.code === "CH_SESSIONS_NOT_DIR") kept = { backup: await moveAside(context, ENTRY) };
    if (found.code === "CH_SESSIONS_REAL_DIR") {
      await adoptRollouts(homePath(context, ENTRY), join(codex.sharedHome, ENTRY));
      kept = { backup: await moveAside(context, ENTRY) };
    }
    const target = join(codex.sharedHome, ENTRY);
    await ensureDir(target);
    const right = (await placeKind(context, ENTRY)) === "link" && (await linkState(context, ENTRY, target)).state === "right";
    if (!right) await createLink(target, homePath(context, ENTRY));
    return kept;
  },
};

async function checkShared(context: CheckContext): Promise<Finding[]> {
  const target = join(context.codex?.sharedHome ?? "", ENTRY);
  const expected = `link → ${target}`;
  const say = (code: Parameters<typeof finding>[0], actual: string, more: Partial<Parameters<typeof finding>[1]> = {}): Finding[] => [finding(code, { path: shown(ENTRY), expected, actual, ...more })];
  const kind = await placeKind(context, ENTRY);
  const behind = await reachable(target);
  const blocked = behind !== undefined && behind !== "directory";
  if (blocked) return say("CH_SESSIONS_BROKEN", `${target} is no directory`, { fix: "manual", hint: "Move that file of the user's Codex home away." });
  if (kind === "absent") return say("CH_SESSIONS_MISSING", "absent");
  if (kind === "directory") return (await isReadable(homePath(context, ENTRY))) ? say("CH_SESSIONS_REAL_DIR", "directory") : say("CH_SESSIONS_REAL_DIR", "a directory that cannot be read", { fix: "manual", hint: "Give yourself the right to read it." });
  if (kind !== "link") return say("CH_SESSIONS_NOT_DIR", kind);
  const { state, text } = await linkState(context, ENTRY, target);
  if (state === "broken") return say("CH_SESSIONS_BROKEN", `broken link → ${text}`);
  if (state === "elsewhere") return say("CH_SESSIONS_WRONG_TARGET", `link → ${text}`);
  return behind === undefined ? say("CH_SESSIONS_BROKEN", `link → ${text}, which does not exist`) : [];
}

async function checkIsolated(context: CheckContext): Promise<Finding[]> {
  const { sessionStore = null, linkStore = false } = context.codex ?? {};
  const expected = linkStore && sessionStore !== null ? `link → ${sessionStore}` : "a directory of its own";
  const kind = await placeKind(context, ENTRY);
  if (kind === "directory") return [];
  if (kind === "link" && sessionStore !== null) {
    const { state, text } = await linkState(context, ENTRY, sessionStore);
    const behind = state === "right" ? await reachable(sessionStore) : undefined;
    if (behind === "directory") return [];
    if (state === "right") return [finding("CH_SESSIONS_BROKEN", { path: shown(ENTRY), expected: `link → ${sessionStore}`, actual: `link → ${text}, which ${behind === undefined ? "does not exist" : "is no directory"}`, ...(behind === undefined ? {} : { fix: "manual", hint: "Move that file of the user's Codex home away." }) })];
  }
  if (kind === "absent") return [finding("CH_SESSIONS_MISSING", { path: shown(ENTRY), expected, actual: "absent" })];
  if (kind === "link") return [finding("CH_SESSIONS_LEGACY_LINK", { path: shown(ENTRY), expected, actual: "link" })];
  return [finding("CH_SESSIONS_NOT_DIR", { path: shown(ENTRY), expected, actual: kind })];
}

async function repairIsolated(context: CheckContext, found: Finding): Promise<Repaired> {
  const { codex } = context;
  if (codex === undefined) return {};
  const kept: Repaired = found.code === "CH_SESSIONS_NOT_DIR" ? { backup: await moveAside(context, ENTRY) } : {};
  const { home, resume, sessionStore: store, linkStore } = codex;
  await isolateSessions({ home, shared: join(codex.sharedHome, ENTRY), resume, store, linkStore });
  return kept;
}
