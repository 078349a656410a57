import { lstatSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { EXIT, MulticaError, isUuid, shortId, taskKey } from "../../core/index.ts";
import { isInside, realPathIfExists } from "../../platform/index.ts";
import { type EnvSummary, summarise } from "./survey.ts";

/**
 * The environments that one selector names (execenv.md 17): a path of an env root or below one, `{workspace}/{segment}`,
 * a segment or at least six characters of one, `task:`, `issue:`, `chat:` with an id, or the bare id.
 * Errors: `env_not_found` (4), `env_ambiguous` (2), `env_outside` (5: a path that is not below the workspaces root).
 */
export function selectEnvironments(selector: string, input: { workspacesRoot: string; cwd: string; nowMs: number; survey: () => EnvSummary[] }): EnvSummary[] {
  if (isPath(selector)) return atPath(resolve(input.cwd, selector), input);
  const all = input.survey();
  const [scheme, id] = splitScheme(selector);
  if (scheme !== null) return oneOrMore(selector, all.filter((env) => names(env, scheme, id)), scheme !== "task");
  if (isUuid(selector)) {
    const hits = (["task", "issue", "chat"] as const).map((way) => all.filter((env) => names(env, way, selector))).find((list) => list.length > 0);
    return oneOrMore(selector, hits ?? [], true);
  }
  const exact = all.filter((env) => env.id === selector || env.segment === selector);
  if (exact.length > 0) return oneOrMore(selector, exact, false);
  if (selector.length < 6) throw notFound(selector, ["A part of a name needs at least six characters."]);
  const begun = all.filter((env) => env.segment.startsWith(selector) || env.id.startsWith(selector));
  // What a shell completes has no leading dot; names come first.
  const path = resolve(input.cwd, selector);
  if (begun.length === 0 && selector.includes(sep) && lstatSync(path, { throwIfNoEntry: false }) !== undefined) return atPath(path, input);
  return oneOrMore(selector, begun, false);
}

/**
 * The environment that a directory belongs to: an env root, anything inside one (its codex-home, its workdir), or a
 * user's directory that environments work in.
 */
function atPath(path: string, input: { workspacesRoot: string; nowMs: number; survey: () => EnvSummary[] }): EnvSummary[] {
  // Only the way to the last name is resolved: an env root that is a link must be seen as one.
  const real = path === dirname(path) ? path : join(realPathIfExists(dirname(path)) ?? dirname(path), basename(path));
  const root = realPathIfExists(input.workspacesRoot) ?? resolve(input.workspacesRoot);
  if (lstatSync(real, { throwIfNoEntry: false }) === undefined) throw notFound(path, []);
  if (!isInside(root, real)) {
    const working = input.survey().filter((env) => env.local_directory !== null && isInside(env.local_directory, real));
    if (working.length > 0) return working;
    throw new MulticaError("env_outside", `${path} is not below the workspaces root ${root}`, {
      exit: EXIT.validation,
      suggestions: ["Give another root with --root, or look with multica execenv list."],
    });
  }
  const [workspace, segment] = relative(root, real).split(sep);
  if (workspace === undefined || segment === undefined || workspace.startsWith(".") || segment.startsWith(".")) throw notFound(path, []);
  if (lstatSync(join(root, workspace, segment), { throwIfNoEntry: false })?.isFile() === true) throw notFound(path, []);
  return [summarise(root, workspace, segment, input)];
}

function isPath(selector: string): boolean {
  return selector.startsWith(sep) || selector === "." || selector === ".." || /^\.\.?[\\/]/.test(selector);
}

function splitScheme(selector: string): ["task" | "issue" | "chat" | null, string] {
  const match = /^(task|issue|chat):(.+)$/.exec(selector);
  return match === null ? [null, selector] : [match[1] as "task" | "issue" | "chat", (match[2] ?? "").trim()];
}

function names(env: EnvSummary, scheme: "task" | "issue" | "chat", id: string): boolean {
  if (scheme === "issue") return env.issue_id === id;
  if (scheme === "chat") return env.chat_session_id === id;
  // Both naming schemes: the tail of the id, and its head in environments of older releases.
  return env.task_id === id || env.last_task_id === id || env.segment === taskKey(id) || (env.task_id === "" && env.segment === shortId(id));
}

function oneOrMore(selector: string, found: readonly EnvSummary[], several: boolean): EnvSummary[] {
  if (found.length === 0) throw notFound(selector, []);
  if (found.length === 1 || several) return [...found];
  throw new MulticaError("env_ambiguous", `${selector} names several environments: ${found.map((env) => env.id).join(", ")}`, {
    exit: EXIT.usage,
    suggestions: ["Write the whole name, as multica execenv list shows it."],
    details: { candidates: found.map((env) => env.id) },
  });
}

function notFound(selector: string, hints: readonly string[]): MulticaError {
  return new MulticaError("env_not_found", `no environment ${JSON.stringify(selector)}`, {
    exit: EXIT.notFound,
    suggestions: [...hints, "multica execenv list shows all of them."],
  });
}
