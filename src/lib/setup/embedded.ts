import { join } from "node:path";
import { createUserApi } from "../api/index.ts";
import { createHttp } from "../api/ky-http.ts";
import { openSettingsStore, profileCommand, readSettings } from "../config/index.ts";
import { EXIT, type JsonObject, MulticaError, asNumber, asString, errorText, isObject } from "../core/index.ts";
import { type Env, platformName, readTextIfExists } from "../platform/index.ts";
import { type AgentRuntime, WIRE_VERSION, type Workspace } from "../wire/index.ts";
import { type Cli, ownCli } from "./cli.ts";
import { type SetupEvent, Stages } from "./events.ts";

export interface EmbeddedOptions {
  readonly env: Env;
  readonly cwd: string;
  readonly stateDir: string;
  readonly profile?: string;
  readonly port?: number;
  readonly host?: string;
  readonly dataDir?: string;
  /** Port of the daemon; 0 = any free one. Absent: the profile's. */
  readonly daemonPort?: number;
  readonly startDaemon: boolean;
  readonly onEvent?: (event: SetupEvent) => void;
  readonly monotonic: () => number;
}

export interface EmbeddedReport {
  readonly server_url: string;
  readonly server_started: boolean;
  readonly workspace: { readonly id: string; readonly name: string; readonly slug: string };
  readonly daemon: { readonly started: boolean; readonly pid: number | null; readonly port: number | null };
  readonly runtimes: readonly FoundRuntime[];
  readonly next: readonly string[];
}

export interface FoundRuntime {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly status: string;
  /** How the daemon came by it, in words; null when no daemon of this machine knows. */
  readonly found: string | null;
}

const DAEMON_MS = 90_000;

/**
 * Makes a machine ready without a question, and again without harm: embedded server, local user and workspace, a token in
 * the profile's settings, the daemon (embedded-server.md "Set-up without questions"). A step that is done already is kept.
 */
export async function setupEmbedded(options: EmbeddedOptions): Promise<EmbeddedReport> {
  const emit = options.onEvent ?? (() => undefined);
  const stages = new Stages(emit, options.monotonic);
  const cli = ownCli(options.env, options.cwd, options.profile);
  const server = await stages.run("server", () => startServer(cli, options), (result) => result.url);
  const workspace = await stages.run("account", () => signIn(cli, server.url, options), (result) => `workspace ${result.name}`);
  const daemon = options.startDaemon
    ? await stages.run("daemon", () => startDaemon(cli, server.url, options), (result) => `pid ${result.pid ?? "?"}, port ${result.port ?? "?"}`)
    : { started: false, pid: null, port: null };
  const runtimes = await listRuntimes(options.stateDir, server.url, workspace.id);
  return {
    server_url: server.url,
    server_started: server.started,
    workspace: { id: workspace.id, name: workspace.name, slug: workspace.slug },
    daemon,
    runtimes: daemon.pid === null ? runtimes.map((runtime) => foundRuntime(runtime, {})) : await describeRuntimes(cli, runtimes),
    next: nextCommands(runtimes, options.profile ?? ""),
  };
}

async function startServer(cli: Cli, options: EmbeddedOptions): Promise<{ url: string; started: boolean }> {
  const args = [
    "server",
    "start",
    ...(options.port === undefined ? [] : ["--port", String(options.port)]),
    ...(options.host === undefined ? [] : ["--host", options.host]),
    ...dataDirArgs(options),
  ];
  const running = await serverFile(options);
  if (running !== undefined && (await answers(running))) return { url: running, started: false };
  const document = await cli.run(args);
  const url = asString(document["url"]);
  if (url === "") throw new MulticaError("setup_step", "the server started but did not say where it listens");
  return { url, started: true };
}

function dataDirArgs(options: EmbeddedOptions): string[] {
  return options.dataDir === undefined ? [] : ["--data-dir", options.dataDir];
}

async function serverFile(options: EmbeddedOptions): Promise<string | undefined> {
  const text = await readTextIfExists(join(options.dataDir ?? join(options.stateDir, "server"), "server.json"));
  if (text === undefined) return undefined;
  try {
    return asString((JSON.parse(text) as { url?: unknown }).url) || undefined;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) });
    return response.status === 200;
  } catch {
    return false;
  }
}

/**
 * Keeps a token that the server still accepts (its port may have changed since); else mints one.
 * The settings of another server are never overwritten silently.
 */
async function signIn(cli: Cli, url: string, options: EmbeddedOptions): Promise<Workspace> {
  const settings = readSettings(options.stateDir);
  const known = settings.server_url === undefined || settings.server_url === url || isLocal(settings.server_url);
  if (!known && settings.token !== undefined) {
    throw new MulticaError("other_server", `this profile is signed in to ${settings.server_url ?? "another server"}`, {
      exit: EXIT.conflict,
      suggestions: ["Use another profile: `multica --profile local setup embedded`, or `multica logout` first."],
    });
  }
  let token = known ? settings.token : undefined;
  if (token !== undefined && !(await accepted(url, token))) token = undefined;
  token ??= asString((await cli.run(["server", "token", "create", "--name", "setup embedded", ...dataDirArgs(options)]))["token"]);
  const workspaces = await userApi(url, token).workspaces();
  const workspace = workspaces.find((candidate) => candidate.id === settings.workspace_id) ?? workspaces[0];
  if (workspace === undefined) throw new MulticaError("setup_step", "the server has no workspace for this user");
  const store = await openSettingsStore(options.stateDir);
  await store.set({ server_url: url, app_url: url, token, workspace_id: workspace.id });
  return workspace;
}

function isLocal(url: string): boolean {
  return /^(?:https?|wss?):\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/.test(url);
}

async function accepted(url: string, token: string): Promise<boolean> {
  try {
    await userApi(url, token).me();
    return true;
  } catch {
    return false;
  }
}

async function startDaemon(cli: Cli, serverUrl: string, options: EmbeddedOptions): Promise<EmbeddedReport["daemon"]> {
  const port = options.daemonPort === undefined ? [] : ["--port", String(options.daemonPort)];
  const facts = (document: JsonObject, started: boolean) => ({ started, pid: asNumber(document["pid"]) ?? null, port: asNumber(document["port"]) ?? null });
  try {
    return facts(await cli.run(["daemon", "start", ...port], { timeoutMs: DAEMON_MS }), true);
  } catch (error) {
    if (!(error instanceof MulticaError) || error.exit !== EXIT.conflict) throw error;
    const status = await cli.run(["daemon", "status"]);
    if (asNumber(status["pid"]) === undefined) throw withOwnFlag(error);
    // The server may have come back at another address: a daemon reads its settings once.
    const elsewhere = asString(status["server_url"]) !== serverUrl && asNumber(status["active_task_count"]) === 0;
    return elsewhere ? facts(await cli.run(["daemon", "restart", ...port], { timeoutMs: DAEMON_MS }), true) : facts(status, false);
  }
}

/** The daemon's advice in the words of this command, whose `--port` is the server's. */
function withOwnFlag(error: MulticaError): MulticaError {
  const suggestions = error.suggestions.map((hint) => hint.replace(/--port\b/, "--daemon-port"));
  return new MulticaError(error.code, error.message, { cause: error, exit: error.exit, suggestions, details: error.details });
}

const FOUND_BY: Readonly<Record<string, string>> = {
  variable: "named by a MULTICA_…_PATH variable",
  path: "on PATH",
  "login-shell": "through the login shell",
  bundle: "in the desktop app",
};

async function describeRuntimes(cli: Cli, runtimes: readonly AgentRuntime[]): Promise<FoundRuntime[]> {
  const found = (await cli.run(["daemon", "status"]))["found_agents"];
  const words = (Array.isArray(found) ? found : []).map((entry) => {
    const agent = isObject(entry) ? entry : {};
    const source = asString(agent["source"]);
    return [asString(agent["provider"]), `${FOUND_BY[source] ?? "found"}: ${asString(agent["path"])}`] as const;
  });
  return runtimes.map((runtime) => foundRuntime(runtime, Object.fromEntries(words)));
}

function foundRuntime(runtime: AgentRuntime, found: Readonly<Record<string, string>>): FoundRuntime {
  const { id, name, provider, status } = runtime;
  return { id, name, provider, status, found: (runtime.profile_id ?? "") === "" ? (found[provider] ?? null) : "a runtime profile" };
}

async function listRuntimes(stateDir: string, url: string, workspaceId: string): Promise<AgentRuntime[]> {
  const token = readSettings(stateDir).token ?? "";
  try {
    return await userApi(url, token, workspaceId).runtimes();
  } catch (error) {
    throw new MulticaError("setup_step", `cannot list the runtimes: ${errorText(error)}`, { cause: error });
  }
}

/** The typed user calls with a token of ours. */
export function userApi(serverUrl: string, token: string, workspaceId?: string): ReturnType<typeof createUserApi> {
  return createUserApi(
    createHttp({
      serverUrl,
      token,
      platform: "cli",
      clientVersion: WIRE_VERSION,
      os: platformName(),
      ...(workspaceId === undefined ? {} : { workspaceId }),
    }),
  );
}

function nextCommands(runtimes: readonly AgentRuntime[], profile: string): string[] {
  const own = (words: string): string => profileCommand(profile, words);
  const runtime = runtimes.find((candidate) => candidate.status === "online");
  if (runtime === undefined) return ["multica quickstart", own("runtime list"), own("daemon status")];
  return [own(`agent create --name Dev --runtime-id ${runtime.id}`), own("repo add URL"), own('issue create --title "…" --assignee Dev')];
}
