import { join } from "node:path";
import { copyIfAbsent } from "../../platform/index.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, isReadable, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const NAMES = ["config.json", "instructions.md"] as const;

/** `config.json` and `instructions.md`: copied once, from then on the task's own (execenv.md 7.2, decision 10). */
export const copiesCheck: Check = {
  id: "copies",
  section: "codex",
  codes: ["CH_COPY_MISSING", "CH_COPY_NOT_FILE", "CH_COPY_UNREADABLE"],

  async check(context) {
    if (context.codex === undefined) return [];
    const findings: Finding[] = [];
    for (const name of NAMES) findings.push(...(await checkCopy(context, name, join(context.codex.sharedHome, name))));
    return findings;
  },

  async repair(context, found) {
    const name = NAMES.find((one) => shown(one) === found.path);
    if (name === undefined) return {};
    const backup = found.code === "CH_COPY_NOT_FILE" ? await moveAside(context, name) : undefined;
    const source = join(context.codex?.sharedHome ?? "", name);
    if ((await reachable(source)) === "file") await copyIfAbsent(source, homePath(context, name), { mode: 0o600 });
    return { backup };
  },
};

async function checkCopy(context: CheckContext, name: string, source: string): Promise<Finding[]> {
  const kind = await placeKind(context, name);
  if (kind === "file" && (await isReadable(homePath(context, name)))) return [];
  const has = (await reachable(source)) === "file";
  const facts = { path: shown(name), expected: has ? `a copy of ${source}` : "a file or nothing", actual: kind };
  if (kind === "absent") return has ? [finding("CH_COPY_MISSING", facts)] : [];
  if (kind === "file") return [finding("CH_COPY_UNREADABLE", { ...facts, actual: "a file that cannot be read" })];
  // A link too: what is written to the task's copy must not end up in the user's file.
  return [finding("CH_COPY_NOT_FILE", facts)];
}
