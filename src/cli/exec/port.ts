import { type ExecPortClient, createExecPort, noDaemon } from "../../lib/api/exec-port.ts";
import { profilePort, type RunContext } from "../../lib/config/index.ts";
import { EXIT, MulticaError } from "../../lib/core/index.ts";
import { taskDaemonPort } from "../task-port.ts";

/** The daemon that a command talks to, and whether it speaks for a task. */
export interface ExecPlace {
  readonly port: ExecPortClient;
  /** Inside a task: the own thread is the only one there is (decision 8). */
  readonly inTask: boolean;
}

/**
 * The daemon of this task (`MULTICA_DAEMON_PORT` with the task's token), else the profile's with the operator's token.
 * Exit 3 without a token in a task, 6 when no daemon runs.
 */
export async function openExec(context: RunContext, profile: string | undefined): Promise<ExecPlace> {
  if (context.kind !== "task") return { port: await operatorPort(context), inTask: false };
  const port = taskDaemonPort(context, profile);
  if (context.token === undefined) {
    throw new MulticaError("not_signed_in", "MULTICA_TOKEN is not set: only a task's own agent may use exec here", { exit: EXIT.notSignedIn });
  }
  return { port: createExecPort({ port, token: context.token }), inTask: true };
}

async function operatorPort(context: RunContext): Promise<ExecPortClient> {
  const { readDaemonInfo, readOperatorToken } = await import("../../lib/daemon/index.ts");
  const info = readDaemonInfo(context.stateDir);
  const token = readOperatorToken(context.stateDir);
  if (info === undefined || token === undefined) throw noDaemon(`127.0.0.1:${info?.port ?? profilePort(context.profile)}`, context.profile);
  return createExecPort({ port: info.port, token, profile: context.profile });
}
