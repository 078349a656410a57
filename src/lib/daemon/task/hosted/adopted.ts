import type { Logger } from "../../../platform/logger.ts";
import { errorText } from "../../../core/index.ts";
import type { AgentHost, ExecService } from "../../../exec/index.ts";
import type { StateHandle, TaskRecord } from "../../../state/index.ts";
import type { Credentials } from "../../credentials.ts";
import type { TaskRun } from "../run.ts";
import { type Sealed, unseal } from "./sealed.ts";

/** A task of an earlier run whose agent outlived that daemon. */
export interface Adopted {
  readonly host: AgentHost;
  readonly row: TaskRecord;
  readonly sealed: Sealed;
  /** The agent's token is known on the local port already; ends that. */
  readonly forgetToken: () => void;
}

const runs = new WeakMap<TaskRun, Adopted>();

/** The run goes on with what an earlier daemon left. */
export function goesOnWith(run: TaskRun, adopted: Adopted): void {
  runs.set(run, adopted);
}

/** What an earlier daemon left for this run; null for one of our own. */
export function adoptedOf(run: TaskRun): Adopted | null {
  return runs.get(run) ?? null;
}

export interface AdoptParts {
  readonly exec: ExecService;
  readonly state: StateHandle | null;
  readonly credentials: Credentials;
  readonly logger: Logger;
  readonly graceMs: number;
}

/**
 * Finds the agents that outlived an earlier daemon (decision 12; state-db.md 17: before strays are looked for). Their tasks
 * become this run's, and their tokens are known again. What cannot be gone on with is ended here: a task that has ended
 * or was never written down, and one whose host is gone.
 */
export async function findAdopted(parts: AdoptParts): Promise<Adopted[]> {
  const found = await Promise.all(parts.exec.agents().map((host) => adoptOne(parts, host)));
  return found.filter((one) => one !== null);
}

async function adoptOne(parts: AdoptParts, host: AgentHost): Promise<Adopted | null> {
  const { state, logger } = parts;
  try {
    const row = state?.getTask(host.taskId) ?? null;
    const sealed = row?.phase === "running" && row.agent_host === host.xid ? await host.sealed() : null;
    const open = sealed === null ? null : unseal(sealed);
    if (row !== null && open !== null && state?.adoptTask(row.task_id) === true) {
      logger.info("an agent of an earlier run goes on", { task: row.task_id, pid: host.pid, over: host.over });
      return { host, row, sealed: open, forgetToken: knowToken(parts.credentials, row, open) };
    }
    logger.warn("an agent of an earlier run cannot be gone on with", { task: host.taskId, pid: host.pid, phase: row?.phase ?? "unknown" });
  } catch (error) {
    logger.error("an agent of an earlier run is not taken over", { task: host.taskId, error: errorText(error) });
  }
  await host.terminate(parts.graceMs);
  await host.dismiss();
  return null;
}

function knowToken(credentials: Credentials, row: TaskRecord, { job, environment }: Sealed): () => void {
  if (row.token_hash === null) return () => undefined;
  return credentials.recognise(row.token_hash, {
    workspaceId: row.workspace_id,
    taskId: row.task_id,
    agentId: job.agent.id,
    agentName: job.agent.name,
    workdir: environment.workdir,
    envRoot: environment.root,
    ...(job.issueId === "" ? {} : { issueId: job.issueId }),
  });
}
