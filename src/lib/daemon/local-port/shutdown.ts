import { isObject, parseJson } from "../../core/index.ts";
import { isFinalExecState } from "../../wire/index.ts";
import type { ExecEnding } from "../exec/ending.ts";
import { type LocalContext, plain } from "./access.ts";
import type { ExecPort } from "./exec/access.ts";

interface Parts {
  readonly execPort: () => ExecPort;
  requestShutdown(exec: ExecEnding): void;
}

const ENDINGS: readonly unknown[] = ["keep", "terminate", "restart"] satisfies ExecEnding[];

/** `POST /shutdown` (daemon.md 13.3): the body may say what becomes of processes under exec hosts; an empty one means `keep`. */
export async function shutdownRoute(c: LocalContext, parts: Parts): Promise<Response> {
  const caller = c.get("caller");
  if (caller.kind === "task") return plain("only the operator may stop the daemon", 403);
  if (caller.kind === "none") return plain("operator token required", 401);
  const body = parseJson(await c.req.text());
  const wish = isObject(body) ? (body["exec"] ?? "keep") : "keep";
  if (!ENDINGS.includes(wish)) return plain("exec must be keep, terminate or restart", 400);
  const ending = wish as ExecEnding;
  parts.requestShutdown(ending);
  return c.json({ status: "shutting down", exec_staying: staying(parts.execPort().exec, ending) });
}

/** How many processes run on without the daemon, as far as it can be said now. */
function staying(exec: ExecPort["exec"], ending: ExecEnding): number {
  if (exec === null || ending === "terminate") return 0;
  const stays = (record: ReturnType<typeof exec.list>[number]): boolean =>
    record.keep || record.state === "detached" || (ending === "restart" && record.thread_id.startsWith("op:"));
  return exec.list().filter((record) => !isFinalExecState(record.state) && stays(record)).length;
}
