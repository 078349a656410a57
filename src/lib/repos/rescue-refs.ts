import { join } from "node:path";
import { EXIT, MulticaError, asString, isObject, parseJson } from "../core/index.ts";
import { writeFileAtomic } from "../platform/index.ts";
import type { Git } from "./git.ts";
import { readPlain } from "./refs-text.ts";
import type { BareRepo } from "./repo.ts";
import { RESCUE } from "./rescue.ts";
import { withView } from "./view.ts";

/** uncommitted: files that were not committed · branch: an unpushed branch that went · commits: what only a detached HEAD led to · task: commits of an isolated checkout · directory: a repository without a cache, moved aside as it was. */
export type RescueKind = "uncommitted" | "branch" | "commits" | "task" | "directory";

export interface RescueEntry {
  /** First 12 characters of the commit (of a directory: its own): what the commands take. */
  readonly id: string;
  readonly kind: RescueKind;
  /** Empty for a directory, like the commit. */
  readonly ref: string;
  readonly commit: string;
  /** When it was saved, or first seen. */
  readonly at: string;
  readonly expires_at: string;
  readonly task_id: string | null;
  readonly branch: string | null;
  /** Where the work was. */
  readonly checkout: string | null;
  readonly files: number | null;
}

/** Rescued work and where it lies. */
export interface KeptEntry extends RescueEntry {
  readonly workspace_id: string;
  readonly repository: string;
  /** The cache; of a directory: where it lies. */
  readonly cache: string;
}

const TASKS = "refs/multica/tasks/";
const SEEN = ".multica_rescues.json";
const KEEP_MS = 30 * 24 * 3_600_000;

/** Everything that is kept in a cache and belongs to no branch (repocache.md 9.3, 17.1). */
export async function listRescues(repo: BareRepo, nowMs: number): Promise<RescueEntry[]> {
  const format = "%(objectname)%00%(refname)%00%(committerdate:unix)%00%(contents)%00%01";
  const answer = await repo.ask(["for-each-ref", `--format=${format}`, RESCUE, TASKS]);
  const seen = readSeen(repo.path);
  return answer.stdout.split("\0\x01").flatMap((record) => {
    const [commit = "", ref = "", date = "", text = ""] = record.replace(/^\n/, "").split("\0");
    return ref === "" ? [] : [entryOf({ commit, ref, text, dateMs: Number(date) * 1000, seenMs: seen.get(ref) ?? nowMs })];
  });
}

function entryOf(raw: { commit: string; ref: string; text: string; dateMs: number; seenMs: number }): RescueEntry {
  const ours = raw.text.startsWith("multica rescue: ");
  const fact = (name: string): string | null => (ours ? (new RegExp(`^${name}: (.*)$`, "m").exec(raw.text)?.[1] ?? null) : null);
  const kind = raw.ref.startsWith(TASKS) ? "task" : raw.ref.startsWith(`${RESCUE}branch/`) ? "branch" : ours ? "uncommitted" : "commits";
  const atMs = kind === "uncommitted" ? raw.dateMs : Math.max(raw.dateMs, raw.seenMs);
  const files = fact("Files");
  return {
    id: raw.commit.slice(0, 12),
    kind,
    ref: raw.ref,
    commit: raw.commit,
    at: new Date(atMs).toISOString(),
    expires_at: new Date(atMs + KEEP_MS).toISOString(),
    task_id: fact("Task"),
    branch: kind === "branch" ? raw.ref.slice(`${RESCUE}branch/`.length) : kind === "task" ? raw.ref.slice(TASKS.length).replace(/^[^/]+\//, "") : fact("Branch"),
    checkout: fact("Path"),
    files: files === null ? null : Number(files),
  };
}

function readSeen(bare: string): Map<string, number> {
  const value = parseJson(readPlain(join(bare, SEEN)) ?? "");
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).map(([ref, at]) => [ref, Date.parse(asString(at))] as const).filter(([, at]) => !Number.isNaN(at)));
}

/**
 * Drops what was saved more than 30 days ago, and commits of tasks that a remote has meanwhile. When a ref was made is
 * not told by its commit, so one that is new here is noted first and lives 30 days from now. Returns how many went.
 */
export async function expireRescues(repo: BareRepo, nowMs: number): Promise<number> {
  const entries = await listRescues(repo, nowMs);
  const seen = readSeen(repo.path);
  const old = entries.filter((entry) => Date.parse(entry.expires_at) <= nowMs);
  for (const entry of entries.filter((item) => item.kind === "task" && !old.includes(item))) {
    const outside = await repo.ask(["rev-list", "-n", "1", entry.commit, "--not", "--remotes=origin"]);
    if (outside.code === 0 && outside.stdout === "") old.push(entry);
  }
  if (old.length > 0) await dropRescues(repo, old);
  const left = entries.filter((entry) => !old.includes(entry) && entry.kind !== "uncommitted");
  const noted = left.map((entry) => [entry.ref, new Date(seen.get(entry.ref) ?? nowMs).toISOString()] as const);
  const isSame = noted.length === seen.size && noted.every(([ref]) => seen.has(ref));
  if (!isSame) await writeFileAtomic(join(repo.path, SEEN), `${JSON.stringify(Object.fromEntries(noted))}\n`);
  return old.length;
}

/** Deletes these refs; one that changed meanwhile stays, and nothing is deleted then. */
export async function dropRescues(repo: BareRepo, entries: readonly RescueEntry[]): Promise<void> {
  const input = entries.map((entry) => `delete ${entry.ref} ${entry.commit}\n`).join("");
  await repo.must("drop rescued work: ", ["update-ref", "--stdin"], { input });
}

/** What the entry holds, as a patch or as a list of files; no program that a configuration names takes part. */
export async function showRescue(repo: BareRepo, entry: RescueEntry, options: { readonly stat: boolean }): Promise<string> {
  const form = ["--no-ext-diff", "--no-textconv", "--no-color", ...(options.stat ? ["--stat"] : ["--patch"])];
  const first = await repo.ask(["rev-parse", "--verify", "--quiet", `${entry.commit}^1`]);
  const base = first.code === 0 ? first.stdout.trim() : "";
  const args =
    entry.kind !== "uncommitted" ? ["log", ...form, entry.commit, "--not", "--remotes=origin"] : base === "" ? ["show", ...form, entry.commit] : ["diff", ...form, base, entry.commit];
  const answer = await repo.ask(args);
  if (answer.code !== 0) throw new MulticaError("git_failed", `git ${args[0] ?? ""}: ${answer.stderr.trim()}`);
  return answer.stdout;
}

/** Writes all files of the entry to an empty directory, byte for byte as they were. */
export async function restoreFiles(git: Git, repo: BareRepo, entry: RescueEntry, directory: string): Promise<void> {
  await withView({ cache: repo.path, objects: [join(repo.path, "objects")], head: entry.commit }, async (view) => {
    await writeFileAtomic(join(view.path, "info", "attributes"), "* -text -filter -ident -working-tree-encoding\n");
    const place = { cwd: directory, workTree: directory };
    await git.must("git read-tree: ", view.call(["read-tree", entry.commit], place));
    await git.must("git checkout-index: ", view.call(["checkout-index", "--all"], place));
  });
}

/** The one entry that `id` means: the beginning of its commit, or its ref. Exit 4 for none, 2 for several. */
export function findRescue<T extends RescueEntry>(entries: readonly T[], id: string): T {
  const found = entries.filter((entry) => (id !== "" && entry.ref === id) || entry.ref === `${RESCUE}${id}` || (id.length >= 4 && (entry.commit || entry.id).startsWith(id)));
  const [only] = found;
  if (only !== undefined && new Set(found.map((entry) => entry.commit || entry.id)).size === 1) return only;
  const suggestions = ["multica repo rescue list shows what there is."];
  if (only === undefined) throw new MulticaError("rescue_unknown", `no rescued work ${JSON.stringify(id)}`, { exit: EXIT.notFound, suggestions });
  throw new MulticaError("rescue_ambiguous", `${JSON.stringify(id)} means several: ${found.map((entry) => entry.ref || entry.id).join(", ")}`, { exit: EXIT.usage, suggestions });
}
