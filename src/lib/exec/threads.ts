import { MulticaError, errorText } from "../core/index.ts";
import { removeTree } from "../platform/index.ts";
import type { ExecProcessPatch, ExecReason } from "../wire/exec-process.ts";
import type { ExecCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { isAgentThread } from "./agent-thread.ts";
import { type ProcessManager, ids } from "./model/manager.ts";
import type { CleanOptions, DetachSummary, ReattachSummary } from "./types.ts";

const ORPHAN_KEEP_MS = 24 * 3_600_000;

export interface DetachOptions {
  readonly processIds?: readonly string[];
  readonly ttlMs?: number | null;
}

/**
 * Parks processes of a thread: out of the manager and into the store in one step, then one transaction; when that fails
 * both are as before (exec-sessions.md 15). The ids stay.
 */
export async function detachEntries(core: ExecCore, manager: ProcessManager<Entry>, options: DetachOptions): Promise<DetachSummary> {
  const now = core.parts.clock.now();
  const ttl = options.ttlMs === undefined ? core.bounds.detachedTtlMs : options.ttlMs;
  const patch: ExecProcessPatch = { state: "detached", keep: 1, detached_at_ms: now, expires_at_ms: ttl === null ? null : now + ttl };
  const exported = manager.export(options.processIds);
  const replaced = core.detached.park(exported);
  try {
    core.book.patchAll(exported.map((entry) => ({ entry, patch })));
  } catch (error) {
    for (const entry of exported) {
      core.detached.remove(entry);
      manager.store(entry);
    }
    core.detached.park(replaced);
    throw error;
  }
  for (const entry of exported) {
    entry.cutLinks();
    tell(core, entry, { keep: true, expires_at_ms: patch.expires_at_ms ?? null, orphan_ms: ORPHAN_KEEP_MS });
  }
  await endAll(core, replaced, "replaced");
  return { process_count: exported.length, process_ids: ids(exported) };
}

/** Back into the thread's manager, under the same ids. What is skipped stays detached. Throws `thread_not_loaded`. */
export async function reattachEntries(core: ExecCore, threadId: string, processIds?: readonly string[]): Promise<ReattachSummary> {
  const manager = isAgentThread(threadId) ? undefined : core.manager(threadId);
  if (manager === undefined) throw new MulticaError("thread_not_loaded", `the thread is not loaded: ${threadId}`, { exit: 4 });
  const taken = core.detached.take(threadId, processIds);
  const { summary, skipped } = manager.import(taken);
  const older = core.detached.putBack(skipped);
  const imported = taken.filter((entry) => !skipped.includes(entry));
  try {
    core.book.patchAll(imported.map((entry) => ({ entry, patch: { state: "attached", detached_at_ms: null, expires_at_ms: null } })));
  } catch (error) {
    for (const entry of imported) manager.remove(entry);
    core.detached.putBack(imported);
    throw error;
  }
  for (const entry of imported) tell(core, entry, { expires_at_ms: null });
  for (const entry of older) core.parts.logger.warn("an older process had the key of a newer one", { thread: threadId, process: entry.processId });
  await endAll(core, older, "replaced");
  return summary;
}

/** Ends a thread: what it keeps is parked, the rest is ended before this resolves. */
export async function closeThread(core: ExecCore, threadId: string, starting: Promise<unknown>): Promise<{ detached: DetachSummary; ended: DetachSummary }> {
  const none: DetachSummary = { process_count: 0, process_ids: [] };
  const manager = core.manager(threadId);
  if (manager === undefined) return { detached: none, ended: none };
  // From here on a start that is under way parks or ends what it started.
  core.unload(threadId);
  await starting;
  const kept = manager.list().filter((entry) => entry.keep);
  const detached = kept.length === 0 ? none : await detachEntries(core, manager, { processIds: ids(kept) });
  const rest = manager.list();
  await endAll(core, rest, "shutdown");
  for (const entry of rest) manager.remove(entry);
  return { detached, ended: { process_count: rest.length, process_ids: ids(rest) } };
}

/** Ends and forgets what is detached, with `includeAttached` also the rest; `finished` forgets what has ended. */
export async function cleanEntries(core: ExecCore, options: CleanOptions): Promise<DetachSummary> {
  const chosen = (entry: Entry): boolean => !isAgentThread(entry.threadId) && (options.all === true || entry.threadId === options.threadId);
  const targets = [
    ...(options.all === true ? core.detached.list() : core.detached.list(options.threadId ?? "")),
    ...(options.includeAttached === true ? core.book.live().filter((entry) => entry.row.state === "attached" && chosen(entry)) : []),
  ];
  // Both places at once, before anything is waited for: a reattach in between must not find them.
  for (const entry of targets) {
    core.detached.remove(entry);
    core.manager(entry.threadId)?.remove(entry);
    entry.cutLinks();
  }
  await endAll(core, targets, "terminated");
  const finished = options.finished === true ? core.book.all().filter((entry) => entry.final && chosen(entry)) : [];
  const gone = [...new Set([...targets, ...finished])];
  for (const entry of gone) await forget(core, entry);
  return { process_count: gone.length, process_ids: ids(gone) };
}

/** Removes the log, then the record: a crash in between leaves a record, never a directory nobody knows. */
export async function forget(core: ExecCore, entry: Entry): Promise<void> {
  if (!entry.final) return;
  await removeTree(entry.row.dir);
  core.book.forget(entry);
}

export async function endAll(core: ExecCore, entries: readonly Entry[], reason: ExecReason): Promise<void> {
  await Promise.all(entries.map((entry) => core.terminate(entry, reason)));
}

/** The host decides about its own end: it must know what was decided here. */
export function tell(core: ExecCore, entry: Entry, params: Readonly<Record<string, unknown>>): void {
  entry.client?.request("update", params).catch((error: unknown) => {
    if (!entry.final) core.parts.logger.warn("a host did not take a change", { xid: entry.row.xid, error: errorText(error) });
  });
}
