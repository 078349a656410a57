import { type ExecOwner, type ExecStart, clampYield } from "../../../exec/index.ts";
import { type ExecStartRequest, type ExecStartedAnswer, execStartSchema } from "../../../wire/index.ts";
import { type ExecCaller, readBody, refuse, threadOf } from "./access.ts";
import { afterArrival, waitOf } from "./answers.ts";

/** Argv and environment together (exec-sessions.md 21). */
const COMMAND_BYTES = 1024 * 1024;
/** Live processes of one thread (exec-sessions.md 21). */
const MAX_PROCESSES = { operator: 64, task: 16 };
/** What a task may ask for at most. */
const TASK_TTL_MS = 7 * 24 * 3_600_000;

/** `POST /exec`: starts a command in the caller's thread and answers what it printed so far (exec-sessions.md 18.2). */
export async function startRoute(caller: ExecCaller): Promise<Response> {
  const { c, exec, port } = caller;
  const body = await readBody(c, execStartSchema);
  checkSize(body);
  const threadId = threadOf(caller, body);
  if (!threadId.startsWith("op:") && !exec.isLoaded(threadId)) refuse(404, "thread_not_loaded", `no task of thread ${threadId} runs now`);
  const startedAt = port.clock.monotonic();
  const started = await exec.start(toStart(body, threadId, caller), waitOf(caller, clampYield("start", body.yield_ms), body));
  const answer: ExecStartedAnswer = {
    ...started.output,
    started_process_id: started.record.process_id,
    duration_ms: Math.round(port.clock.monotonic() - startedAt),
    ...(started.warning === null ? {} : { warning: started.warning }),
  };
  return afterArrival(c, Response.json(answer, { status: 201 }), `${threadId}/${started.record.process_id}`, () => started.commit());
}

function checkSize(body: ExecStartRequest): void {
  const parts = [...body.argv, ...Object.entries(body.env).map(([name, value]) => `${name}=${value}`)];
  if (parts.some((part) => part.includes("\0"))) refuse(400, "invalid", "a NUL cannot stand in a command line or an environment");
  if (parts.reduce((sum, part) => sum + Buffer.byteLength(part) + 1, 0) > COMMAND_BYTES) refuse(400, "invalid", "command line and environment are larger than 1 MiB");
}

function toStart(body: ExecStartRequest, threadId: string, caller: ExecCaller): ExecStart {
  const { task } = caller;
  const ttl = ttlOf(body.ttl_ms, task !== null);
  const limits = body.limits;
  return {
    threadId,
    owner: ownerOf(caller),
    argv: body.argv,
    cwd: body.cwd,
    // The marker of the task's processes is not the caller's to leave out (decision 17).
    env: task === null ? body.env : { ...body.env, MULTICA_TASK_ID: task.taskId },
    maxProcesses: task === null ? MAX_PROCESSES.operator : MAX_PROCESSES.task,
    ...pick(body, ["tty", "cols", "rows", "stdin", "label", "keep", "detach"]),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    ...(body.leave_children === undefined ? {} : { leaveChildren: body.leave_children }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  };
}

function ownerOf({ task }: ExecCaller): ExecOwner {
  if (task === null) return { kind: "operator" };
  return { kind: "task", taskId: task.taskId, agentId: task.agentId, envRoot: task.envRoot, ...(task.issueId === undefined ? {} : { issueId: task.issueId }) };
}

/** 0 = no limit, which a task cannot ask for. */
export function ttlOf(ms: number | undefined, ofTask: boolean): number | null | undefined {
  if (ms === undefined) return undefined;
  if (ofTask) return ms === 0 ? TASK_TTL_MS : Math.min(ms, TASK_TTL_MS);
  return ms === 0 ? null : ms;
}

function limitsOf(limits: NonNullable<ExecStartRequest["limits"]>): NonNullable<ExecStart["limits"]> {
  const { ring_bytes: ringBytes, max_bytes: maxBytes, rate, orphan_ms: orphanMs } = limits;
  return {
    ...(ringBytes === undefined ? {} : { ringBytes }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(rate === undefined ? {} : { rate }),
    ...(orphanMs === undefined ? {} : { orphanMs }),
  };
}

type Kept<T, K extends keyof T> = { [P in K]?: Exclude<T[P], undefined> };

/** The given members, those that are undefined left out. */
function pick<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Kept<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]]))) as Kept<T, K>;
}
