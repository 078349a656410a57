import { MulticaError, errorText, isMulticaError } from "../core/index.ts";
import { type Clock, isInside, withTimeout } from "../platform/index.ts";
import type { ExecState } from "../wire/exec-process.ts";
import { type Adoption, adoptAll } from "./adopt.ts";
import { agentHost } from "./agent-host.ts";
import { ExecCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { follow } from "./follow.ts";
import { collectGarbage } from "./gc.ts";
import { isAgentThread } from "./agent-thread.ts";
import { WRITE_PIECE } from "./protocol.ts";
import { answer, readable } from "./reading.ts";
import { ORPHAN_KEEP_MS, ORPHAN_MS, type Started, startProcess } from "./start.ts";
import { cleanEntries, closeThread, detachEntries, endAll, reattachEntries, tell } from "./threads.ts";
import type {
  AgentHost,
  CleanOptions,
  CreateExecService,
  DetachSummary,
  ExecAnswer,
  ExecEnd,
  ExecFollow,
  ExecParts,
  ExecReadOptions,
  ExecRecord,
  ExecService,
  ExecStart,
  ExecStarted,
  ExecWrite,
  FollowStream,
  GcReport,
  ReattachSummary,
  SignalName,
  WriteStatus,
  YieldOptions,
} from "./types.ts";

const ADOPTION_WAIT_MS = 10_000;
const HOUR_MS = 3_600_000;
const WRITE_MAX = 1 << 20;
const NONE: DetachSummary = { process_count: 0, process_ids: [] };

/** Commands that outlive their caller. The records are read here; hosts are taken over by `adopt`. */
export const createExecService: CreateExecService = (parts) => new Service(parts);

class Service implements ExecService {
  readonly #core: ExecCore;
  readonly #clock: Clock;
  readonly #starting = new Map<string, Set<Promise<Started>>>();
  #adoption: Promise<Adoption> | null = null;
  #stopGc: () => void = () => undefined;

  constructor(parts: ExecParts) {
    this.#core = new ExecCore(parts);
    this.#clock = parts.clock;
  }

  adopt(): Promise<Adoption> {
    this.#adoption ??= adoptAll(this.#core).then(async (result) => {
      this.#stopGc = this.#clock.every(HOUR_MS, () => void collectQuietly(this.#core));
      await collectQuietly(this.#core);
      return result;
    });
    return this.#adoption;
  }

  async openThread(threadId: string): Promise<ReattachSummary> {
    this.#core.load(threadId);
    await this.#adopted();
    if (this.#core.parts.autoReattach === false) return { reattached_count: 0, skipped_count: 0, skipped_process_ids: [] };
    return reattachEntries(this.#core, threadId);
  }

  closeThread(threadId: string): ReturnType<ExecService["closeThread"]> {
    return closeThread(this.#core, threadId, this.#started(threadId));
  }

  isLoaded(threadId: string): boolean {
    return this.#core.manager(threadId) !== undefined;
  }

  async start(request: ExecStart, wait: YieldOptions): Promise<ExecStarted> {
    const work = startProcess(this.#core, request);
    const ofThread = this.#starting.get(request.threadId) ?? new Set<Promise<Started>>();
    this.#starting.set(request.threadId, ofThread.add(work));
    const { entry, warning } = await work.finally(() => {
      ofThread.delete(work);
      if (ofThread.size === 0) this.#starting.delete(request.threadId);
    });
    const signal = wait.signal ?? request.signal;
    const got = await this.#answer(entry, { ...wait, ...(signal === undefined ? {} : { signal }) });
    return { ...got, record: entry.record(), warning };
  }

  list(filter: { readonly threadId?: string; readonly state?: ExecState } = {}): ExecRecord[] {
    const { threadId, state } = filter;
    const wanted = (entry: Entry): boolean => (threadId === undefined || entry.threadId === threadId) && (state === undefined || entry.row.state === state);
    return this.#core.book.all().filter((entry) => !isAgentThread(entry.threadId) && wanted(entry)).map((entry) => entry.record());
  }

  async startAgent(request: ExecStart): Promise<AgentHost> {
    const { entry } = await startProcess(this.#core, { ...request, journal: true });
    return agentHost(this.#core, entry);
  }

  agents(): AgentHost[] {
    return this.#core.book.all().filter((entry) => isAgentThread(entry.threadId)).map((entry) => agentHost(this.#core, entry));
  }

  async find(threadId: string, processId: string): Promise<ExecRecord> {
    const entry = await this.#known(threadId, processId);
    if (entry.client !== null && !entry.final) await refresh(this.#core, entry);
    return entry.record();
  }

  async read(threadId: string, processId: string, options: ExecReadOptions): Promise<ExecAnswer> {
    const entry = readable(await this.#known(threadId, processId), options.afterSeq);
    this.#used(entry);
    return this.#answer(entry, options);
  }

  async write(threadId: string, processId: string, write: ExecWrite): Promise<WriteStatus> {
    const entry = readable(await this.#known(threadId, processId), undefined);
    this.#used(entry);
    return entry.final ? "exited" : writeTo(entry, write);
  }

  async follow(threadId: string, processId: string, options: ExecFollow): Promise<FollowStream> {
    return follow(this.#core, await this.#known(threadId, processId), options);
  }

  async resize(threadId: string, processId: string, size: { readonly cols: number; readonly rows: number }): Promise<void> {
    const entry = await this.#known(threadId, processId);
    if (!entry.final) await entry.host().request("resize", { ...size });
  }

  async signal(threadId: string, processId: string, name: SignalName, target: "group" | "leader" = "group"): Promise<void> {
    const entry = await this.#known(threadId, processId);
    if (!entry.final) await entry.host().request("signal", { name, target });
  }

  async terminate(threadId: string, processId: string, options: { readonly graceMs?: number; readonly force?: boolean } = {}): Promise<boolean> {
    return this.#core.terminate(await this.#known(threadId, processId), options.force === true ? "killed" : "terminated", options);
  }

  async keep(threadId: string, processId: string, options: { readonly keep: boolean; readonly ttlMs?: number | null }): Promise<ExecRecord> {
    const { keep, ttlMs } = options;
    const entry = await this.#known(threadId, processId);
    if (entry.final) return entry.record();
    const expires = ttlMs === undefined ? entry.row.expires_at_ms : ttlMs === null ? null : this.#clock.now() + ttlMs;
    this.#core.book.patch(entry, { keep: keep ? 1 : 0, expires_at_ms: expires });
    tell(this.#core, entry, { keep, expires_at_ms: expires, orphan_ms: keep ? ORPHAN_KEEP_MS : ORPHAN_MS });
    return entry.record();
  }

  async acknowledge(threadId: string, processId: string, seq: number): Promise<void> {
    const entry = await this.#known(threadId, processId);
    if (!entry.final) await entry.host().request("acknowledge", { seq });
  }

  async detach(threadId: string, options: { readonly processIds?: readonly string[]; readonly ttlMs?: number | null } = {}): Promise<DetachSummary> {
    const manager = this.#core.manager(threadId);
    return manager === undefined ? NONE : detachEntries(this.#core, manager, options);
  }

  reattach(threadId: string, options: { readonly processIds?: readonly string[] } = {}): Promise<ReattachSummary> {
    return reattachEntries(this.#core, threadId, options.processIds);
  }

  clean(options: CleanOptions): Promise<DetachSummary> {
    return cleanEntries(this.#core, options);
  }

  gc(options: { readonly dryRun?: boolean } = {}): Promise<GcReport> {
    return collectGarbage(this.#core, options.dryRun ?? false);
  }

  spared(which: "keep" | "registered" = "keep"): ReadonlySet<string> {
    return new Set(this.#core.book.live().flatMap((entry) => (which === "registered" || entry.keep ? [entry.row.xid] : [])));
  }

  usersOf(root: string): ExecRecord[] {
    return this.#core.book.live().filter((entry) => uses(entry, root)).map((entry) => entry.record());
  }

  onEnd(listener: (end: ExecEnd) => void): () => void {
    return this.#core.listen(listener);
  }

  async shutdown(mode: "keep" | "terminate" | "restart", stay: readonly string[] = []): Promise<{ readonly staying: number; readonly ended: number }> {
    const core = this.#core;
    this.#stopGc();
    core.refusing = true;
    const before = core.book.live().length;
    for (const threadId of core.threads()) {
      // A restart leaves what operators run where it is.
      const stays = (mode === "restart" && threadId.startsWith("op:")) || (mode !== "terminate" && (isAgentThread(threadId) || stay.includes(threadId)));
      if (stays) await this.#started(threadId);
      else await closeThread(core, threadId, this.#started(threadId));
    }
    if (mode === "terminate") await endAll(core, core.book.live(), "shutdown");
    core.closing = true;
    const staying = core.book.live();
    for (const entry of staying) await farewell(entry);
    return { staying: staying.length, ended: before - staying.length };
  }

  #answer(entry: Entry, options: ExecReadOptions): Promise<ExecAnswer> {
    return answer(entry, options, this.#clock, (seq) => this.#core.book.patch(entry, { poll_seq: seq, last_used_ms: this.#clock.now() }));
  }

  #used(entry: Entry): void {
    this.#core.book.patch(entry, { last_used_ms: this.#clock.now() });
  }

  #started(threadId: string): Promise<unknown> {
    return Promise.allSettled([...(this.#starting.get(threadId) ?? [])]);
  }

  async #adopted(): Promise<void> {
    if (this.#adoption !== null) await withTimeout(this.#clock, ADOPTION_WAIT_MS, "the adoption of processes", this.#adoption).catch(() => undefined);
  }

  /** The latest process under an id; one that is just being taken over is waited for. */
  async #known(threadId: string, processId: string): Promise<Entry> {
    const before = this.#core.book.find(threadId, processId);
    if (before === undefined || (!before.final && before.client === null)) await this.#adopted();
    const entry = isAgentThread(threadId) ? undefined : this.#core.book.find(threadId, processId);
    return entry ?? readable(undefined, undefined);
  }
}

async function collectQuietly(core: ExecCore): Promise<GcReport | null> {
  return collectGarbage(core, false).catch((error: unknown) => {
    core.parts.logger.warn("leftovers of commands are not collected", { error: errorText(error) });
    return null;
  });
}

/** Figures of a living process, as far as its host answers. */
async function refresh(core: ExecCore, entry: Entry): Promise<void> {
  try {
    const { last_seq, total_bytes, dropped_bytes, degraded } = await entry.host().request("status", {}, 2000);
    entry.degraded = degraded === true;
    if (entry.final || last_seq === entry.row.last_seq) return;
    core.book.patch(entry, { last_seq: Number(last_seq), total_bytes: Number(total_bytes), dropped_bytes: Number(dropped_bytes) });
  } catch (error) {
    if (!isMulticaError(error)) throw error;
  }
}

/** Large input goes in pieces, each with an id of its own, so that a repeated call types none twice. */
async function writeTo(entry: Entry, write: ExecWrite): Promise<WriteStatus> {
  if (write.data.length > WRITE_MAX) throw new MulticaError("too_large", "at most 1 MiB at once", { exit: 5 });
  if (write.writeId.length > 64 || write.writeId === "") throw new MulticaError("invalid", "a write id has 1 to 64 characters", { exit: 5 });
  let status: WriteStatus = "accepted";
  try {
    for (let at = 0; at < write.data.length; at += WRITE_PIECE) {
      const data = write.data.subarray(at, at + WRITE_PIECE).toString("base64");
      const reply = await entry.host().request("write", { write_id: at === 0 ? write.writeId : `${write.writeId}#${at}`, data });
      status = reply["status"] as WriteStatus;
      if (status !== "accepted" && status !== "duplicate") return status;
    }
    if (write.closeStdin === true) await entry.host().request("close_stdin");
    return status;
  } catch (error) {
    if (entry.final && isMulticaError(error, "host_gone")) return "exited";
    throw error;
  }
}

function uses(entry: Entry, root: string): boolean {
  const { cwd, env_root: envRoot } = entry.row;
  return isInside(root, cwd) || (envRoot !== null && isInside(root, envRoot));
}

/** The host may stay without us: losing the owner is normal to it. */
async function farewell(entry: Entry): Promise<void> {
  const { client } = entry;
  if (client === null) return;
  await client.request("bye", { acked_seq: 0 }, 1000).catch(() => undefined);
  client.close();
}
