import { EXIT, MulticaError } from "../../../core/index.ts";
import { type ExecRecord, clampYield } from "../../../exec/index.ts";
import { execKeepSchema, execKillSchema, execReadSchema, execResizeSchema, execSignalSchema, execWriteSchema } from "../../../wire/index.ts";
import { type ExecCaller, readBody, refuse, target } from "./access.ts";
import { afterArrival, arrived, waitOf } from "./answers.ts";
import { ttlOf } from "./start.ts";

const WRITE_BYTES = 1024 * 1024;
const RAW_BYTES = { fallback: 64 * 1024, max: 1024 * 1024 };

/** `GET /exec/{thread}/{process}`. */
export async function recordRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  return Response.json(await caller.exec.find(threadId, processId));
}

/** `POST …/read`: the output since the last read, or after a position without moving the cursor. */
export async function readRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const body = await readBody(caller.c, execReadSchema);
  await arrived(caller.port.clock, `${threadId}/${processId}`);
  const answer = await caller.exec.read(threadId, processId, {
    ...waitOf(caller, clampYield("poll", body.yield_ms), body),
    ...(body.after_seq === undefined ? {} : { afterSeq: body.after_seq }),
    ...(body.raw === true ? { rawBytes: Math.min(RAW_BYTES.max, body.max_bytes ?? RAW_BYTES.fallback) } : {}),
  });
  return afterArrival(caller.c, Response.json(answer.output), `${threadId}/${processId}`, () => answer.commit());
}

/** `POST …/write`: types input once per `write_id`, then answers as a read does. */
export async function writeRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const body = await readBody(caller.c, execWriteSchema);
  const data = body.data === undefined ? Buffer.from(body.text ?? "") : Buffer.from(body.data, "base64");
  if (data.length > WRITE_BYTES) refuse(413, "too_large", "one write may have 1 MiB");
  const status = await caller.exec.write(threadId, processId, { data, writeId: body.write_id, closeStdin: body.close_stdin === true });
  if (status === "busy") refuse(503, "busy", "the process does not read its input: 4 MiB wait");
  if (status === "stdin_closed") throw new MulticaError("stdin_closed", "the process has no open input; start it with --tty or --stdin pipe", { exit: EXIT.validation });
  if (body.read === false) return Response.json({ status });
  await arrived(caller.port.clock, `${threadId}/${processId}`);
  const answer = await caller.exec.read(threadId, processId, waitOf(caller, clampYield("write", body.yield_ms), body));
  return afterArrival(caller.c, Response.json({ ...answer.output, status }), `${threadId}/${processId}`, () => answer.commit());
}

export async function resizeRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const { cols, rows } = await readBody(caller.c, execResizeSchema);
  await caller.exec.resize(threadId, processId, { cols, rows });
  return Response.json({ ok: true });
}

export async function signalRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const body = await readBody(caller.c, execSignalSchema);
  await caller.exec.signal(threadId, processId, body.name, body.target);
  return Response.json({ ok: true });
}

/** `POST …/kill`: false in `running` = there was nothing to do. */
export async function killRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const body = await readBody(caller.c, execKillSchema);
  const running = await caller.exec.terminate(threadId, processId, {
    ...(body.grace_ms === undefined ? {} : { graceMs: body.grace_ms }),
    ...(body.force === undefined ? {} : { force: body.force }),
  });
  return Response.json({ running });
}

export async function keepRoute(caller: ExecCaller): Promise<Response> {
  const { threadId, processId } = target(caller);
  const body = await readBody(caller.c, execKeepSchema);
  const ttl = ttlOf(body.ttl_ms, caller.task !== null);
  const record: ExecRecord = await caller.exec.keep(threadId, processId, { keep: body.keep, ...(ttl === undefined ? {} : { ttlMs: ttl }) });
  return Response.json(record);
}
