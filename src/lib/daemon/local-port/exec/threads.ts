import { type ExecState, THREAD_ID, execCleanSchema, execGcSchema, execMoveSchema } from "../../../wire/index.ts";
import { type ExecCaller, readBody, refuse, threadOf } from "./access.ts";
import { ttlOf } from "./start.ts";

const STATES: readonly string[] = ["starting", "attached", "detached", "exited", "lost", "failed"] satisfies ExecState[];
const FINAL: readonly string[] = ["exited", "lost", "failed"];

/** `GET /exec`: a task sees its own thread; an operator everything, or one thread. Finished ones only with `all` or `state`. */
export function listRoute(caller: ExecCaller): Promise<Response> {
  const { c, exec, task } = caller;
  const named = c.req.query("thread_id");
  const state = c.req.query("state");
  if (state !== undefined && !STATES.includes(state)) refuse(400, "invalid", `state must be one of ${STATES.join(", ")}`);
  const ref = { thread_id: named, task_id: c.req.query("task_id"), issue_id: c.req.query("issue_id") };
  const one = task !== null || Object.values(ref).some((value) => value !== undefined) ? threadOf(caller, ref) : undefined;
  const all = exec.list({ ...(one === undefined ? {} : { threadId: one }), ...(state === undefined ? {} : { state: state as ExecState }) });
  const wanted = state !== undefined || c.req.query("all") === "true" ? all : all.filter((record) => !FINAL.includes(record.state));
  return Promise.resolve(Response.json({ processes: wanted }));
}

/** `POST /exec/detach`: an unknown or unloaded thread is a success with zeros (exec-sessions.md 12.5). */
export async function detachRoute(caller: ExecCaller): Promise<Response> {
  const body = await readBody(caller.c, execMoveSchema);
  const threadId = threadOf(caller, checked(body));
  const ttl = ttlOf(body.ttl_ms, caller.task !== null);
  const summary = await caller.exec.detach(threadId, {
    ...(body.process_ids === undefined ? {} : { processIds: body.process_ids }),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
  });
  return Response.json({ thread_id: threadId, ...summary });
}

/** `POST /exec/reattach`: 404 when no task of the thread runs. */
export async function reattachRoute(caller: ExecCaller): Promise<Response> {
  const body = await readBody(caller.c, execMoveSchema);
  const threadId = threadOf(caller, checked(body));
  const summary = await caller.exec.reattach(threadId, body.process_ids === undefined ? {} : { processIds: body.process_ids });
  return Response.json({ thread_id: threadId, ...summary });
}

/** `POST /exec/clean`: one thread, or everything for an operator. */
export async function cleanRoute(caller: ExecCaller): Promise<Response> {
  const body = await readBody(caller.c, execCleanSchema);
  if (body.all === true && caller.task !== null) refuse(403, "own_thread_only", "a task may clean its own thread only");
  const scope = body.all === true ? { all: true } : { threadId: threadOf(caller, checked(body)) };
  return Response.json(
    await caller.exec.clean({
      ...scope,
      ...(body.include_attached === undefined ? {} : { includeAttached: body.include_attached }),
      ...(body.finished === undefined ? {} : { finished: body.finished }),
    }),
  );
}

/** `POST /exec/gc`: the operator's. */
export async function gcRoute(caller: ExecCaller): Promise<Response> {
  const body = await readBody(caller.c, execGcSchema);
  if (caller.task !== null) refuse(403, "operator_only", "only the operator may collect");
  return Response.json(await caller.exec.gc(body.dry_run === undefined ? {} : { dryRun: body.dry_run }));
}

/** A bare UUID is looked up; anything else must have the form of a thread. */
function checked<T extends { thread_id?: string | undefined }>(body: T): T {
  const text = body.thread_id;
  if (text !== undefined && !THREAD_ID.test(text) && !/^[0-9a-f-]{36}$/i.test(text)) refuse(400, "invalid", `${JSON.stringify(text)} is not a thread`);
  return body;
}
