import { dirname, join } from "node:path";
import { createLink, ensureDir } from "../../platform/index.ts";
import { ensureConfinedDir } from "../confined.ts";
import { ENTRY as ROOT } from "../layout.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, linkState, moveAside, placeKind, reachable, shown } from "./place.ts";

const PARENT = "plugins";
const ENTRY = join(PARENT, "cache");

/** `plugins/cache`: shared by link, so that no task downloads what another has (execenv.md 7.2). */
export const pluginsCheck: Check = {
  id: "plugins",
  section: "codex",
  codes: ["CH_PLUGIN_CACHE"],

  async check(context) {
    if (context.codex === undefined) return [];
    const target = join(context.codex.sharedHome, ENTRY);
    const actual = await fault(context, target);
    const blocked = actual !== null && ["file", "other"].includes((await reachable(target)) ?? "");
    if (blocked) return [finding("CH_PLUGIN_CACHE", { path: shown(ENTRY), expected: "a directory to link to", actual: `${target} is no directory`, fix: "manual", hint: "Move that file of the user's Codex home away." })];
    return actual === null ? [] : [finding("CH_PLUGIN_CACHE", { path: shown(ENTRY), expected: `link → ${target}`, actual })];
  },

  async repair(context) {
    const target = join(context.codex?.sharedHome ?? "", ENTRY);
    let backup: string | undefined;
    const parent = await placeKind(context, PARENT);
    if (parent !== "directory" && parent !== "absent") backup = await moveAside(context, PARENT);
    await ensureConfinedDir(context.target.root, join(ROOT.codexHome, PARENT));
    await ensureDir(target);
    const kind = await placeKind(context, ENTRY);
    // A real directory is kept aside: a cache is cheap to lose, but what Codex wrote is not ours to remove.
    if (kind !== "absent" && kind !== "link") backup = await moveAside(context, ENTRY);
    await createLink(target, homePath(context, ENTRY));
    return { backup };
  },
};

async function fault(context: CheckContext, target: string): Promise<string | null> {
  const parent = await placeKind(context, PARENT);
  if (parent === "absent") return "absent";
  if (parent === "link") {
    // A person may have linked all of `plugins`; then the cache is the shared one already.
    const whole = await linkState(context, PARENT, dirname(target));
    return whole.state === "right" && (await reachable(target)) === "directory" ? null : `${PARENT} is a link → ${whole.text}`;
  }
  if (parent !== "directory") return `${PARENT} is a ${parent}`;
  const kind = await placeKind(context, ENTRY);
  if (kind !== "link") return kind;
  const { state, text } = await linkState(context, ENTRY, target);
  if (state !== "right") return `${state === "broken" ? "broken link" : "link"} → ${text}`;
  return (await reachable(target)) === undefined ? `link → ${text}, which does not exist` : null;
}
