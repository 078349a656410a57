import { type Env, envText } from "./environment.ts";
import { findTaskMarker } from "./marker.ts";
import { resolveStateDir, taskConfigRoot } from "./paths.ts";
import { readSettings, type Settings } from "./settings.ts";
import { normalizeServerUrl } from "./url.ts";

/** The global flags that choose where a command works; absent = not given. */
export interface ContextFlags {
  readonly profile?: string | undefined;
  readonly serverUrl?: string | undefined;
  readonly workspaceId?: string | undefined;
}

export interface ContextInput {
  readonly env: Env;
  readonly cwd: string;
  readonly home: string;
  readonly flags?: ContextFlags;
}

/**
 * In whose name this process runs (cli.md 3.2): `task` = inside an agent task, `port-only` = an old shell that exports the
 * daemon's port, `human` = everything else. In the first two the user's own settings are never a fallback (`managed`).
 */
export type ContextKind = "human" | "task" | "port-only";

export interface RunContext {
  readonly kind: ContextKind;
  readonly managed: boolean;
  readonly profile: string;
  readonly stateDir: string;
  readonly taskConfigRoot: string | undefined;
  readonly token: string | undefined;
  readonly serverUrl: string | undefined;
  readonly workspaceId: string | undefined;
  readonly agentId: string | undefined;
  readonly agentName: string | undefined;
  readonly taskId: string | undefined;
  /** `MULTICA_DAEMON_PORT` as text: the command that uses it judges its form. */
  readonly daemonPort: string | undefined;
  /** The agent outlives its daemon: one that does not answer is probably just being started again. */
  readonly daemonReturns: boolean;
  /** A per-task marker without any other sign of a task: probably left over from a crash (cli.md 3.3). */
  readonly leftoverMarker: string | undefined;
  readonly httpTimeoutMs: number;
}

/**
 * Decides context, credentials and places from flags, environment and settings (cli.md 3). Reads the settings file only when
 * something is still missing and the context may use it. Throws for a bad profile name and for an unreadable settings file.
 */
export function resolveContext(input: ContextInput): RunContext {
  const { env } = input;
  const signs = readSigns(env, input.cwd);
  const profile = input.flags?.profile ?? "";
  const stateDir = resolveStateDir({ env, profile, home: input.home });
  const root = taskConfigRoot(env);

  let settings: Settings | undefined;
  const fromFile = (): Settings => (settings ??= readSettings(stateDir));
  const token = envText(env, "MULTICA_TOKEN") ?? (signs.managed ? undefined : fromFile().token);
  const serverFlag = blankless(input.flags?.serverUrl);
  const server =
    serverFlag ?? envText(env, "MULTICA_SERVER_URL") ?? (signs.managed && root === undefined ? undefined : fromFile().server_url);
  const workspaceId =
    blankless(input.flags?.workspaceId) ?? envText(env, "MULTICA_WORKSPACE_ID") ?? (signs.managed ? undefined : fromFile().workspace_id);

  return {
    kind: signs.kind,
    managed: signs.managed,
    profile,
    stateDir,
    taskConfigRoot: root,
    token,
    serverUrl: server === undefined ? undefined : normalizeServerUrl(server),
    workspaceId,
    agentId: envText(env, "MULTICA_AGENT_ID"),
    agentName: envText(env, "MULTICA_AGENT_NAME"),
    taskId: envText(env, "MULTICA_TASK_ID"),
    daemonPort: envText(env, "MULTICA_DAEMON_PORT"),
    daemonReturns: envText(env, "MULTICA_DAEMON_RETURNS") === "1",
    leftoverMarker: signs.leftoverMarker,
    httpTimeoutMs: httpTimeout(envText(env, "MULTICA_HTTP_TIMEOUT")),
  };
}

export interface ContextSigns {
  readonly kind: ContextKind;
  readonly managed: boolean;
  readonly leftoverMarker: string | undefined;
}

/** The context alone, without touching any settings: what a guard may look at before anything else is read. */
export function readSigns(env: Env, cwd: string): ContextSigns {
  const identity = envText(env, "MULTICA_AGENT_ID") !== undefined || envText(env, "MULTICA_TASK_ID") !== undefined;
  const root = envText(env, "MULTICA_TASK_CONFIG_ROOT") !== undefined;
  const port = envText(env, "MULTICA_DAEMON_PORT") !== undefined;
  const marker = findTaskMarker(cwd);
  const kind: ContextKind = identity || root || marker !== undefined ? "task" : port ? "port-only" : "human";
  const leftover = !identity && !root && !port && marker?.perTask === true;
  return { kind, managed: kind !== "human", leftoverMarker: leftover ? marker.path : undefined };
}

function blankless(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined || trimmed === "" ? undefined : trimmed;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, "": 1000 };

/** `45s`, `2m`, or whole seconds; anything else, zero and negatives mean the default of 30 s (cli.md 4.5). */
function httpTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_MS;
  if (!/^(?:\d+|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+)$/.test(text)) return DEFAULT_TIMEOUT_MS;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|$)/g)) {
    total += Number(number) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total > 0 && Number.isFinite(total) ? total : DEFAULT_TIMEOUT_MS;
}
