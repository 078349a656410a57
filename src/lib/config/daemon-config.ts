import { hostname } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { EXIT, MulticaError } from "../core/index.ts";
import { settingDuration, settingInteger, badSetting } from "./durations.ts";
import { type Env, envText } from "./environment.ts";
import { type JournalMode, stateJournalMode } from "./journal-mode.ts";
import { type AgentTransportKind, DEFAULT_TRANSPORT, type ExecLauncherKind, type RepoCheckoutMode, parseAgentTransport, parseCheckoutMode, parseExecLauncher } from "./keys.ts";
import { defaultWorkspacesRoot, profilePort } from "./paths.ts";
import type { Settings } from "./settings.ts";
import { splitShellWords } from "./shell-words.ts";
import { isOfficialCloud, parseServerUrl } from "./url.ts";

/** The start flags of the daemon as typed: texts are parsed here, so that every source has one error style. */
export interface DaemonFlags {
  readonly serverUrl?: string | undefined;
  readonly port?: number | undefined;
  readonly daemonId?: string | undefined;
  readonly deviceName?: string | undefined;
  readonly runtimeName?: string | undefined;
  readonly workspacesRoot?: string | undefined;
  readonly pollInterval?: string | undefined;
  readonly heartbeatInterval?: string | undefined;
  readonly agentTimeout?: string | undefined;
  readonly codexSemanticInactivityTimeout?: string | undefined;
  readonly codexHandshakeTimeout?: string | undefined;
  readonly maxConcurrentTasks?: number | undefined;
  readonly noAutoUpdate?: boolean | undefined;
  readonly autoUpdateInterval?: string | undefined;
  readonly noAutoReload?: boolean | undefined;
}

export interface DaemonConfigInput {
  readonly flags: DaemonFlags;
  readonly env: Env;
  readonly settings: Settings;
  readonly profile: string;
  readonly stateDir: string;
  readonly home: string;
  readonly hostname?: string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Everything the daemon was told, resolved once at start and never read again. Times are milliseconds. */
export interface DaemonConfig {
  readonly profile: string;
  readonly stateDir: string;
  /** HTTP base URL without a trailing slash. */
  readonly serverUrl: string;
  /** From the settings file only; empty when nobody signed in. */
  readonly token: string;
  /** The pinned id, or undefined = the machine's own (daemon.md 4.1). */
  readonly daemonId: string | undefined;
  readonly deviceName: string;
  /** Codex homes to look into besides the user's and those of tasks. */
  readonly indexHomes: readonly string[];
  readonly runtimeName: string;
  readonly workspacesRoot: string;
  /** Local port; 0 = any free one, published in `<state dir>/daemon.json` (decision 7). */
  readonly port: number;
  readonly pollIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  readonly syncIntervalMs: number;
  readonly maxConcurrentTasks: number;
  /** 0 = no cap. */
  readonly agentTimeoutMs: number;
  /** 0 = watchdogs off. */
  readonly idleWatchdogMs: number;
  /** 0 = a running tool is never stopped. */
  readonly toolWatchdogMs: number;
  readonly codexSemanticInactivityMs: number;
  readonly codexHandshakeMs: number;
  /** 0 = the adapter's own ceiling. */
  readonly codexFirstTurnMs: number;
  /** Provider id → executable from `MULTICA_<P>_PATH`; likewise models and default arguments. */
  readonly agentPaths: Readonly<Record<string, string>>;
  readonly agentModels: Readonly<Record<string, string>>;
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  /** Runtime profile id → absolute command on this machine. */
  readonly profileCommands: Readonly<Record<string, string>>;
  readonly agentTempBase: string | undefined;
  readonly launchedBy: string;
  readonly logLevel: LogLevel;
  /** Attach what a conversation left running when its next task starts. */
  readonly execAutoReattach: boolean;
  /** Which kind of checkout tasks get (repocache.md 8). */
  readonly repoCheckoutMode: RepoCheckoutMode;
  readonly execLauncher: ExecLauncherKind;
  readonly stateJournalMode: JournalMode;
  /** `host`: agents outlive the daemon, and its next start goes on with them. */
  readonly agentTransport: AgentTransportKind;
  readonly updates: UpdateSettings;
}

export interface UpdateSettings {
  /** Look for newer releases by itself. */
  readonly automatic: boolean;
  readonly intervalMs: number;
  /** Start anew when the program on disk was replaced. */
  readonly reload: boolean;
  /** A JSON document `{"version": "x.y.z", "versions"?: […]}`; undefined: this build has no release source. */
  readonly releaseUrl: string | undefined;
  /** How a release is installed; `{version}` stands for it. Empty: it cannot be. */
  readonly command: readonly string[];
}

interface Knob {
  readonly flag?: string | undefined;
  readonly env?: string;
  readonly setting?: { readonly name: string; readonly value: string | undefined };
  readonly fallback: number;
  /** True where zero is a value of its own ("off"), not "unset". */
  readonly zero?: boolean;
}

/**
 * One value for every setting of daemon.md 3.2 that this daemon uses: flag, else environment, else settings file, else default.
 * Throws `bad_setting` or `bad_server_url` (exit 2) naming the variable, flag or key: a malformed value never becomes the default.
 */
export function resolveDaemonConfig(input: DaemonConfigInput): DaemonConfig {
  const { flags, env, settings } = input;
  const duration = (knob: Knob): number => resolveDuration(env, knob);
  return {
    profile: input.profile,
    stateDir: input.stateDir,
    serverUrl: daemonServerUrl(input),
    token: settings.token ?? "",
    daemonId: text(flags.daemonId) ?? envText(env, "MULTICA_DAEMON_ID"),
    deviceName: deviceName(input),
    runtimeName: text(flags.runtimeName) ?? envText(env, "MULTICA_AGENT_RUNTIME_NAME") ?? settings.runtime_name ?? "Local Agent",
    workspacesRoot: resolveWorkspacesRoot(input),
    port: flags.port ?? profilePort(input.profile),
    pollIntervalMs: duration({
      flag: flags.pollInterval,
      env: "MULTICA_DAEMON_POLL_INTERVAL",
      setting: { name: "poll_interval", value: settings.poll_interval },
      fallback: 30_000,
    }),
    heartbeatIntervalMs: duration({
      flag: flags.heartbeatInterval,
      env: "MULTICA_DAEMON_HEARTBEAT_INTERVAL",
      setting: { name: "heartbeat_interval", value: settings.heartbeat_interval },
      fallback: 15_000,
    }),
    syncIntervalMs: duration({ env: "MULTICA_DAEMON_SYNC_INTERVAL", fallback: 30_000 }),
    maxConcurrentTasks: maxConcurrentTasks(input),
    agentTimeoutMs: duration({
      flag: flags.agentTimeout,
      env: "MULTICA_AGENT_TIMEOUT",
      setting: { name: "agent_timeout", value: settings.agent_timeout },
      fallback: 0,
      zero: true,
    }),
    idleWatchdogMs: duration({ env: "MULTICA_AGENT_IDLE_WATCHDOG", fallback: 30 * 60_000, zero: true }),
    toolWatchdogMs: duration({ env: "MULTICA_AGENT_TOOL_WATCHDOG", fallback: 2 * 3_600_000, zero: true }),
    codexSemanticInactivityMs: duration({
      flag: flags.codexSemanticInactivityTimeout,
      env: "MULTICA_CODEX_SEMANTIC_INACTIVITY_TIMEOUT",
      setting: { name: "codex_semantic_inactivity_timeout", value: settings.codex_semantic_inactivity_timeout },
      fallback: 10 * 60_000,
    }),
    codexHandshakeMs: duration(codexHandshake(flags, settings)),
    updates: updateSettings(input, duration),
    codexFirstTurnMs: duration({ env: "MULTICA_CODEX_FIRST_TURN_TIMEOUT", fallback: 0, zero: true }),
    agentPaths: perProvider(env, "PATH"),
    agentModels: perProvider(env, "MODEL"),
    agentArgs: agentArgs(env),
    profileCommands: settings.profile_command_overrides ?? {},
    agentTempBase: envText(env, "MULTICA_AGENT_TEMP_BASE"),
    launchedBy: envText(env, "MULTICA_LAUNCHED_BY") ?? "",
    logLevel: logLevel(env),
    execAutoReattach: settings.exec_auto_reattach ?? true,
    indexHomes: settings.index_homes ?? [],
    repoCheckoutMode: parseCheckoutMode(settings.repo_checkout_mode ?? "auto"),
    execLauncher: parseExecLauncher(settings.exec_launcher ?? "auto"),
    stateJournalMode: stateJournalMode(env),
    agentTransport: parseAgentTransport(envText(env, "MULTICA_AGENT_TRANSPORT") ?? settings.agent_transport ?? DEFAULT_TRANSPORT),
  };
}

function codexHandshake(flags: DaemonFlags, settings: Settings): Knob {
  const setting = { name: "codex_handshake_timeout", value: settings.codex_handshake_timeout };
  return { flag: flags.codexHandshakeTimeout, env: "MULTICA_CODEX_HANDSHAKE_TIMEOUT", setting, fallback: 30_000 };
}

/** When the daemon replaces itself (daemon.md 16). The update source is this product's own and never guessed. */
function updateSettings(input: DaemonConfigInput, duration: (knob: Knob) => number): UpdateSettings {
  const { flags, env, settings } = input;
  const setting = { name: "auto_update_check_interval", value: settings.auto_update_check_interval };
  return {
    automatic: isAllowed(flags.noAutoUpdate, env, "MULTICA_DAEMON_AUTO_UPDATE", settings.disable_auto_update) ?? isOfficialCloud(daemonServerUrl(input)),
    intervalMs: duration({ flag: flags.autoUpdateInterval, env: "MULTICA_DAEMON_AUTO_UPDATE_INTERVAL", setting, fallback: 6 * 3_600_000 }),
    reload: isAllowed(flags.noAutoReload, env, "MULTICA_DAEMON_AUTO_RELOAD", settings.disable_auto_reload) ?? true,
    releaseUrl: envText(env, "MULTICA_RELEASE_URL"),
    command: splitShellWords(envText(env, "MULTICA_UPDATE_COMMAND") ?? "", "MULTICA_UPDATE_COMMAND"),
  };
}

/** Flag, then environment, then settings file; undefined: nobody said anything. */
function isAllowed(disabled: boolean | undefined, env: Env, name: string, setting: boolean | undefined): boolean | undefined {
  if (disabled === true) return false;
  const variable = envText(env, name)?.trim().toLowerCase() ?? "";
  if (["0", "false", "no", "off"].includes(variable)) return false;
  if (["1", "true", "yes", "on"].includes(variable)) return true;
  return setting === true ? false : undefined;
}

function deviceName({ flags, env, settings, hostname: name = hostname() }: DaemonConfigInput): string {
  return text(flags.deviceName) ?? envText(env, "MULTICA_DAEMON_DEVICE_NAME") ?? settings.device_name ?? (name || "local-machine");
}

function resolveDuration(env: Env, knob: Knob): number {
  const accepts = (ms: number): boolean => ms > 0 || (ms === 0 && knob.zero === true);
  if (knob.flag !== undefined) {
    const ms = settingDuration(knob.flag, "the flag");
    if (accepts(ms)) return ms;
  }
  const variable = knob.env === undefined ? undefined : envText(env, knob.env);
  if (variable !== undefined && knob.env !== undefined) {
    const ms = settingDuration(variable, knob.env);
    if (accepts(ms)) return ms;
    if (ms < 0) throw badSetting(knob.env, variable, "a duration that is not negative");
    return knob.fallback;
  }
  if (knob.setting?.value !== undefined) {
    const source = `the setting ${knob.setting.name}`;
    const ms = settingDuration(knob.setting.value, source);
    if (!accepts(ms)) throw badSetting(source, knob.setting.value, "a positive duration");
    return ms;
  }
  return knob.fallback;
}

function daemonServerUrl({ flags, env, settings }: DaemonConfigInput): string {
  const raw = text(flags.serverUrl) ?? envText(env, "MULTICA_SERVER_URL") ?? settings.server_url ?? "ws://localhost:8080/ws";
  const url = parseServerUrl(raw);
  if (url !== undefined) return url;
  throw new MulticaError("bad_server_url", `${JSON.stringify(raw)} is not a server address`, {
    exit: EXIT.usage,
    suggestions: ["Write it like http://127.0.0.1:8390 or wss://host/ws."],
  });
}

/** Where environments are made: flag, else environment, else settings file, else the profile's default; always absolute. */
export function resolveWorkspacesRoot({ flags, env, settings, profile, home }: Pick<DaemonConfigInput, "flags" | "env" | "settings" | "profile" | "home">): string {
  const chosen = text(flags.workspacesRoot) ?? envText(env, "MULTICA_WORKSPACES_ROOT") ?? settings.workspaces_root;
  if (chosen === undefined) return defaultWorkspacesRoot(profile, home);
  return isAbsolute(chosen) ? chosen : resolve(chosen);
}

function maxConcurrentTasks({ flags, env, settings }: DaemonConfigInput): number {
  if (flags.maxConcurrentTasks !== undefined && flags.maxConcurrentTasks > 0) return flags.maxConcurrentTasks;
  const variable = envText(env, "MULTICA_DAEMON_MAX_CONCURRENT_TASKS");
  const chosen = variable === undefined ? settings.max_concurrent_tasks : settingInteger(variable, "MULTICA_DAEMON_MAX_CONCURRENT_TASKS");
  return chosen !== undefined && chosen > 0 ? chosen : 20;
}

/** `MULTICA_CODEX_PATH=/x` → `{codex: "/x"}`. Which providers exist is not this room's business. */
function perProvider(env: Env, suffix: "PATH" | "MODEL" | "ARGS"): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(env)) {
    const provider = new RegExp(`^MULTICA_([A-Z][A-Z0-9_]*)_${suffix}$`).exec(name)?.[1];
    const value = envText(env, name);
    if (provider !== undefined && value !== undefined) found[provider.toLowerCase()] = value;
  }
  return found;
}

function agentArgs(env: Env): Record<string, string[]> {
  const texts = Object.entries(perProvider(env, "ARGS"));
  return Object.fromEntries(texts.map(([id, value]) => [id, splitShellWords(value, `MULTICA_${id.toUpperCase()}_ARGS`)]));
}

function logLevel(env: Env): LogLevel {
  const level = (envText(env, "LOG_LEVEL") ?? "debug").toLowerCase();
  if (level === "warning") return "warn";
  return level === "info" || level === "warn" || level === "error" ? level : "debug";
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined || trimmed === "" ? undefined : trimmed;
}
