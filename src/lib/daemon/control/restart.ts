import { EXIT, MulticaError, isMulticaError } from "../../core/index.ts";
import { profileCommand } from "../../config/index.ts";
import { findDaemon, foreignError } from "./find.ts";
import { type StartOptions, type StartResult, startDaemon } from "./start.ts";
import { stopDaemon } from "./stop.ts";

export interface RestartOptions extends StartOptions {
  /** `GET /api/me` with the stored token; throws when the server does not accept it or cannot be reached. */
  readonly checkToken: () => Promise<unknown>;
  /** How long the old daemon may take to finish its tasks; 40 s unless given. */
  readonly stopWaitMs?: number;
}

// Tasks get 30 s, the exit 5 more: a shorter wait would start the new one into a taken port.
const STOP_WAIT_MS = 40_000;

/**
 * Stops the daemon and starts it again (daemon.md 2.8). A token that the server does not accept, or a server that cannot be
 * reached, is found before anything is touched: the running daemon then keeps running. Not running: a plain start.
 */
export async function restartDaemon(options: RestartOptions): Promise<StartResult> {
  const found = await findDaemon(options);
  if (found.kind === "foreign") throw foreignError(found);
  if (found.kind === "stopped") return startDaemon(options);
  try {
    if (options.token === "") throw new MulticaError("not_signed_in", "not signed in", { exit: EXIT.notSignedIn });
    await options.checkToken();
  } catch (error) {
    throw unchanged(error, options.profile);
  }
  const stopped = await stopDaemon({ ...options, exec: "restart", waitMs: options.stopWaitMs ?? STOP_WAIT_MS });
  if (stopped.status === "finishing") {
    throw new MulticaError("still_finishing", `the old daemon (pid ${stopped.pid ?? "?"}) is still finishing its tasks`, {
      exit: EXIT.conflict,
      suggestions: ["Start the daemon again when it has ended."],
    });
  }
  return startDaemon({ ...options, ...keepPort(options, found.port) });
}

/**
 * A daemon that was started on a port of its own keeps it, unless this call names another. Whoever has the profile's port
 * meanwhile is then nobody's business.
 */
function keepPort({ flags, port }: StartOptions, present: number): Pick<StartOptions, "flags" | "port"> {
  return flags.includes("--port") || present === port ? { flags, port } : { flags: [...flags, "--port", String(present)], port: present };
}

function unchanged(error: unknown, profile: string): MulticaError {
  const known = isMulticaError(error) ? error : undefined;
  const refused = known === undefined || known.exit === EXIT.notSignedIn;
  return new MulticaError("restart_refused", `the daemon keeps running: ${refused ? "the server does not accept the stored token" : known.message}`, {
    cause: error,
    exit: known?.exit ?? EXIT.failed,
    suggestions: refused ? [`Run ${profileCommand(profile, "login")}; the running daemon takes a new token up by itself.`] : known.suggestions,
  });
}
