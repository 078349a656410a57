import { readdir, readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { sanitizeSkillName, systemCode } from "../../core/index.ts";
import { createLink, isInside, removeFile } from "../../platform/index.ts";
import { ensureConfinedDir } from "../confined.ts";
import { ENTRY as ROOT } from "../layout.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, linkState, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const ENTRY = "skills";

/**
 * The user's own skills, linked beside the workspace's, which win (execenv.md 7.8). Only links into the user's skills
 * are ours here: directories, files and every name that begins with a dot belong to Codex or to the agent.
 */
export const skillsCheck: Check = {
  id: "skills",
  section: "codex",
  codes: ["CH_SKILLS_NOT_DIR", "CH_SKILL_USER"],

  async check(context) {
    if (context.codex === undefined) return [];
    const kind = await placeKind(context, ENTRY);
    if (kind !== "absent" && kind !== "directory") return [finding("CH_SKILLS_NOT_DIR", { path: shown(ENTRY), expected: "a directory", actual: kind })];
    const wanted = await userSkills(context);
    const findings: Finding[] = [];
    for (const name of wanted) findings.push(...(await checkLink(context, name)));
    if (kind === "directory") for (const name of await staleLinks(context, new Set(wanted))) findings.push(finding("CH_SKILL_USER", { path: shown(join(ENTRY, name)), expected: "nothing", actual: "a link to a skill that the user no longer has, or that a skill of the workspace replaces" }));
    return findings;
  },

  async repair(context, found) {
    if (found.code === "CH_SKILLS_NOT_DIR") return { backup: await moveAside(context, ENTRY) };
    const name = found.path.slice(shown(ENTRY).length + 1);
    const path = homePath(context, join(ENTRY, name));
    if (found.expected === "nothing") await removeFile(path);
    else {
      await ensureConfinedDir(context.target.root, join(ROOT.codexHome, ENTRY));
      await createLink(sharedSkill(context, name), path);
    }
    return {};
  },
};

async function checkLink(context: CheckContext, name: string): Promise<Finding[]> {
  const entry = join(ENTRY, name);
  const target = sharedSkill(context, name);
  const facts = { path: shown(entry), expected: `link → ${target}` };
  const kind = await placeKind(context, entry);
  if (kind === "absent") return [finding("CH_SKILL_USER", { ...facts, actual: "absent" })];
  if (kind !== "link") return [];
  const { state, text } = await linkState(context, entry, target);
  return state === "right" ? [] : [finding("CH_SKILL_USER", { ...facts, actual: `link → ${text}` })];
}

/** Names of the user's skills that no skill of the workspace claims; hidden ones and what is no directory are left out. */
async function userSkills(context: CheckContext): Promise<string[]> {
  const claimed = new Set(context.codex?.workspaceSkills.map(sanitizeSkillName));
  const names: string[] = [];
  for (const name of await namesIn(sharedSkill(context, ""))) {
    if (name.startsWith(".") || claimed.has(sanitizeSkillName(name))) continue;
    if ((await reachable(sharedSkill(context, name))) === "directory") names.push(name);
  }
  return names.sort();
}

/** Links of ours whose skill is gone: they point directly into the user's skills. */
async function staleLinks(context: CheckContext, wanted: ReadonlySet<string>): Promise<string[]> {
  const shared = sharedSkill(context, "");
  const directory = homePath(context, ENTRY);
  const stale: string[] = [];
  for (const name of await namesIn(directory)) {
    if (name.startsWith(".") || wanted.has(name) || (await placeKind(context, join(ENTRY, name))) !== "link") continue;
    const text = await readlink(join(directory, name));
    const target = resolve(directory, text);
    if (dirname(target) === resolve(shared) || isInside(resolve(shared), target)) stale.push(name);
  }
  return stale;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

function sharedSkill(context: CheckContext, name: string): string {
  return join(context.codex?.sharedHome ?? "", ENTRY, name);
}
