import { EXIT, MulticaError, sanitizeName, sha256Hex, taskKey } from "../core/index.ts";
import { splitUrl } from "./url.ts";

const MAX_NAME = 200;

/** What an environment puts into a workdir itself: a checkout of that name would be taken for it (execenv.md 9.1). */
const RESERVED = new Set(
  [
    ".git .agent_context .multica .claude .codebuddy .opencode .pi .cursor .kimi .kiro .qoder .agents .traecli .deveco .reasonix",
    ".dsh .minimax .omp .gemini .github .codex skills skill_pool qwenpaw-workspace claude.md agents.md qwen.md gemini.md codebuddy.md",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Directory name of a repository's bare cache: host and path joined by `+` (`github.com+org+repo.git`).
 * The scheme is no part of it: the https and the ssh form of one repository share a cache (repocache.md 1.1).
 */
export function bareName(url: string): string {
  const { host, path } = splitUrl(url.trim().replace(/\/+$/, ""));
  const segments = [host.trim().toLowerCase().replaceAll(":", "%3A"), ...path.split("/")].filter((part) => part !== "");
  const joined = segments.join("+");
  if (joined === "") return "repo.git";
  const name = joined.endsWith(".git") ? joined : `${joined}.git`;
  return Buffer.byteLength(name) <= MAX_NAME ? name : `${[...name].slice(0, 40).join("")}-${sha256Hex(name).slice(0, 16)}.git`;
}

/** Names of the checkout's directory in order of preference: the repository's own, then one that cannot collide (1.2). */
export function checkoutNames(url: string): { plain: string; distinct: string } {
  const plain = lastPart(url);
  const hash = sha256Hex(bareName(url)).slice(0, 8);
  const unusable = plain === "." || plain === ".." || RESERVED.has(plain.toLowerCase()) || /[/\\:]/.test(plain);
  return unusable ? { plain: `repo-${hash}`, distinct: `repo-${hash}` } : { plain, distinct: `${plain}-${hash}` };
}

function lastPart(url: string): string {
  const text = url.trim().replace(/\/+$/, "").replace(/\.git$/, "");
  const afterSlash = text.slice(text.lastIndexOf("/") + 1);
  return afterSlash.slice(afterSlash.lastIndexOf(":") + 1).trim() || "repo";
}

/** Branch of a task's checkout: `agent/<agent name>/<last 12 of the task id>` (10). */
export function branchName(agentName: string, taskId: string): string {
  return `agent/${sanitizeName(agentName)}/${taskKey(taskId).toLowerCase()}`;
}

/** Names to try after `branch` turned out to be taken; `prefixTaken`: a branch `agent/x` itself is in the way (10). */
export function otherBranchNames(branch: string, nowMs: number, prefixTaken = false): string[] {
  const base = prefixTaken ? branch.replace(/^agent\//, "agent-") : `${branch}-${Math.floor(nowMs / 1000)}`;
  return [base, `${base}-2`, `${base}-3`];
}

/** True for a branch name that is safe to hand to git and to turn into a ref path. Stricter than git's own rule. */
export function isPlainBranch(name: string): boolean {
  return (
    name.length <= 250 &&
    /^[A-Za-z0-9_][\w./+@#-]*$/.test(name) &&
    !/\.\.|\/\/|@\{|\/\.|\.lock(\/|$)|[/.]$/.test(name)
  );
}

/** The id as a directory name; `bad_workspace_id` (exit 5) when it could lead anywhere else. */
export function workspaceSegment(id: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(id)) return id;
  throw new MulticaError("bad_workspace_id", `not a workspace id: ${JSON.stringify(id.slice(0, 80))}`, { exit: EXIT.validation });
}
