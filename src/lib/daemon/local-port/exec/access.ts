import { errorText, isMulticaError, parseJson } from "../../../core/index.ts";
import type { ExecService } from "../../../exec/index.ts";
import type { Clock } from "../../../platform/index.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { StateReader } from "../../../state/index.ts";
import type { TaskCredential } from "../../credentials.ts";
import { type TaskThreads, type ThreadRef, resolveThread, taskThread } from "../../exec/threads.ts";
import { type LocalContext, plain } from "../access.ts";

/** What the routes need of the daemon. `exec` is null until the state file has been read. */
export interface ExecPort {
  readonly exec: ExecService | null;
  readonly state: Pick<StateReader, "getTask" | "listTasks"> | null;
  readonly threads: TaskThreads;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Who asks, after the doors that all routes share. */
export interface ExecCaller {
  readonly c: LocalContext;
  readonly exec: ExecService;
  readonly port: ExecPort;
  /** Null for the operator. */
  readonly task: (TaskCredential & { readonly threadId: string }) | null;
}

/** A refusal on its way to the answer: thrown inside a route, never seen outside. */
class Refusal extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super("refused");
    this.response = response;
  }
}

export function refuse(status: number, code: string, text: string): never {
  throw new Refusal(refusal(status, code, text));
}

function refusal(status: number, code: string, text: string): Response {
  return plain(text.replaceAll(/\s+/g, " "), status, { "X-Multica-Code": code });
}

/** What an error of the exec room means to a client (exec-sessions.md 18.2). */
const STATUS: Readonly<Record<string, number>> = {
  invalid: 400,
  ambiguous: 400,
  process_not_found: 404,
  thread_not_loaded: 404,
  limit: 409,
  stdin_closed: 409,
  not_a_tty: 409,
  exited: 409,
  too_large: 413,
  cwd_not_found: 422,
  command_not_found: 422,
  not_executable: 422,
  tty_unavailable: 422,
  socket_path_too_long: 422,
  too_many_viewers: 429,
  busy: 503,
  spawn_failed: 503,
};

/** Runs a route behind the access rules of exec-sessions.md 18.1; failures become one line of text with their code. */
export async function withCaller(c: LocalContext, port: ExecPort, route: (caller: ExecCaller) => Promise<Response>): Promise<Response> {
  try {
    return await route(admit(c, port));
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    if (c.req.raw.signal.aborted) return plain("client closed request", 499);
    const known = isMulticaError(error) ? error : undefined;
    const status = STATUS[known?.code ?? ""];
    if (known !== undefined && status !== undefined) return refusal(status, known.code, known.message);
    port.logger.error("exec request failed", { path: c.req.path, error: errorText(error) });
    return refusal(500, known?.code ?? "internal", errorText(error));
  }
}

/** Token, and the daemon's readiness. The socket route comes through here as well. */
function admit(c: LocalContext, port: ExecPort): ExecCaller {
  const caller = c.get("caller");
  if (caller.kind === "none") refuse(401, "unauthorised", "token required");
  if (port.exec === null) refuse(503, "starting", "the daemon is starting");
  return { c, exec: port.exec, port, task: caller.kind === "task" ? { ...caller.credential, threadId: taskThread(caller.credential) } : null };
}

interface Parser<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

/** The request's document in its schema; a body that is not declared as JSON is what a web page could send. */
export async function readBody<T>(c: LocalContext, schema: Parser<T>): Promise<T> {
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? "")) refuse(403, "not_json", "the body must be application/json");
  const result = schema.safeParse(parseJson(await c.req.text()));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  refuse(400, "invalid", `invalid request: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(" ")}`);
}

/** The thread that a request means; a task has its own one only, and no other exists for it. */
export function threadOf(caller: ExecCaller, ref: ThreadRef): string {
  const { task, port, exec } = caller;
  const wanted = resolveThread(task !== null && ref.thread_id === undefined && ref.task_id === undefined && ref.issue_id === undefined ? { thread_id: task.threadId } : ref, {
    exec,
    state: port.state,
    open: port.threads.open,
  });
  if (task !== null) {
    const own = wanted.kind === "thread" && wanted.threadId === task.threadId;
    const byTask = ref.task_id === task.taskId || ref.thread_id === task.taskId;
    if (own || byTask) return task.threadId;
    refuse(404, "thread_not_loaded", "no such thread");
  }
  if (wanted.kind === "unknown") refuse(404, "thread_unknown", wanted.text);
  if (wanted.kind === "ambiguous") refuse(400, "ambiguous", wanted.text);
  return wanted.threadId;
}

/** Thread and process of the path, within the caller's rights. */
export function target(caller: ExecCaller): { readonly threadId: string; readonly processId: string } {
  const { c, task } = caller;
  const threadId = c.req.param("thread") ?? "";
  const processId = c.req.param("process") ?? "";
  if (task !== null && threadId !== task.threadId) refuse(404, "process_not_found", "no such process");
  return { threadId, processId };
}
