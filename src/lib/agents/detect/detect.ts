import { join } from "node:path";
import { type Clock, type Env, envValue, isExecutableFile, systemClock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { ProviderSpec } from "../provider.ts";
import { providers } from "../registry.ts";
import { notForThisSystem } from "./format.ts";
import { askLoginShell } from "./login-shell.ts";
import { lookupCommand, type Lookup } from "./path.ts";
import { probeVersion } from "./probe.ts";
import { inVersionManagers } from "./version-managers.ts";
import { isBelow, versionRefusal } from "./version.ts";

/** Where a command was found: named by the operator, on PATH, through the login shell, with a version manager, or in a desktop app. */
export type AgentSource = "variable" | "path" | "login-shell" | "version-manager" | "bundle";

export interface DetectedAgent {
  readonly provider: string;
  /** Absolute and pinned. */
  readonly path: string;
  /** The whole line that `--version` printed. */
  readonly version: string;
  readonly source: AgentSource;
}

export interface SkippedAgent {
  readonly provider: string;
  readonly reason: string;
  /**
   * Not installed; certainly too old; a file that this system cannot execute; or it did not tell its version, which may be
   * different the next time and says nothing against what is registered already (daemon.md 5.5).
   */
  readonly cause: "absent" | "below_minimum" | "not_executable" | "unavailable";
}

export interface Detection {
  readonly agents: readonly DetectedAgent[];
  readonly skipped: readonly SkippedAgent[];
}

export interface DetectOptions {
  /** PATH, SHELL and the `MULTICA_<P>_PATH` variables are read from here. */
  readonly env: Env;
  readonly home: string;
  readonly cwd: string;
  readonly logger?: Pick<Logger, "info" | "warn">;
  readonly specs?: readonly ProviderSpec[];
  readonly probeTimeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Agents found before, by provider: while their file is there it is not looked for again, whatever PATH holds now. */
  readonly pinned?: ReadonlyMap<string, Located>;
}

/** Where an agent is, and how that was found out. */
export interface Located {
  readonly path: string;
  readonly source: AgentSource;
}

const PROBES_AT_ONCE = 8;
/** A probe that fails at once may have met a file that is just being replaced; one that fails slowly hangs. */
const RETRY_DELAY_MS = 500;
const RETRY_WINDOW_MS = 1000;

/**
 * Every agent of the registry that this machine can run (agents.md 3). Never throws: what is missing, too old or does
 * not answer is listed with its reason.
 */
export async function detectAgents(options: DetectOptions): Promise<Detection> {
  const specs = (options.specs ?? Object.values(providers)).filter((spec) => spec.command !== null);
  const located = await locate(specs, options);
  const agents: DetectedAgent[] = [];
  const skipped: SkippedAgent[] = [];
  const queue = [...specs];
  const work = async (): Promise<void> => {
    for (let spec = queue.shift(); spec !== undefined; spec = queue.shift()) {
      const outcome = await examineTwice(spec, located.get(spec.id) ?? null, options);
      if ("reason" in outcome) skipped.push(outcome);
      else agents.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PROBES_AT_ONCE, specs.length) }, work));
  const order = <T extends { provider: string }>(list: T[]): T[] => list.sort((a, b) => (a.provider < b.provider ? -1 : 1));
  for (const agent of agents) options.logger?.info("agent found", { ...agent });
  for (const agent of skipped) options.logger?.warn("agent not used", { ...agent });
  return { agents: order(agents), skipped: order(skipped) };
}

/** The providers whose executable is there, whatever it is worth; no agent is started. */
export async function locateAgents(options: DetectOptions): Promise<string[]> {
  const specs = (options.specs ?? Object.values(providers)).filter((spec) => spec.command !== null);
  return [...(await locate(specs, options)).keys()].sort();
}

/**
 * The agent of a pinned path at the moment of a launch (agents.md 3.4): unchanged while the file is there; once a version
 * manager replaced it, what detection finds now, with its new version. A path named by the operator only heals by
 * coming back.
 */
export async function healAgent(spec: ProviderSpec, pinned: DetectedAgent, options: DetectOptions): Promise<DetectedAgent | SkippedAgent> {
  if (isExecutableFile(pinned.path)) return pinned;
  const located = pinned.source === "variable" ? null : ((await locate([spec], options)).get(spec.id) ?? null);
  if (located !== null) return examine(spec, located, options);
  return { provider: spec.id, reason: `${spec.id} executable not found at "${pinned.path}"`, cause: "absent" };
}

/** The command that detection looks for: what the variable names, else the default. */
function wantedCommand(spec: ProviderSpec, env: Env): { command: string; explicit: boolean } {
  const named = spec.variables.path === null ? undefined : envValue(env, spec.variables.path);
  return { command: named ?? spec.command ?? "", explicit: named !== undefined };
}

async function locate(specs: readonly ProviderSpec[], options: DetectOptions): Promise<Map<string, Located>> {
  const lookup: Lookup = { path: options.env.PATH ?? "", cwd: options.cwd, hooksDir: join(options.home, ".multica", "hooks") };
  const found = new Map<string, Located>();
  const missing = new Map<string, string>();
  for (const spec of specs) {
    const known = options.pinned?.get(spec.id);
    if (known !== undefined && isExecutableFile(known.path)) {
      found.set(spec.id, known);
      continue;
    }
    const { command, explicit } = wantedCommand(spec, options.env);
    const path = lookupCommand(command, lookup);
    if (path !== null) found.set(spec.id, { path, source: explicit ? "variable" : "path" });
    else if (!command.includes("/")) missing.set(spec.id, command);
  }
  if (missing.size === 0) return found;
  const answers = await askLoginShell([...new Set(missing.values())], { env: options.env, cwd: options.cwd, hooksDir: join(options.home, ".multica", "hooks") });
  for (const spec of specs) {
    const command = missing.get(spec.id);
    if (command === undefined) continue;
    const path = answers.get(command);
    const managed = inVersionManagers(command, options);
    const bundle = command === spec.command ? bundled(spec, options.home) : null;
    if (path !== undefined) found.set(spec.id, { path, source: "login-shell" });
    else if (managed !== null) found.set(spec.id, { path: managed, source: "version-manager" });
    else if (bundle !== null) found.set(spec.id, { path: bundle, source: "bundle" });
  }
  return found;
}

function bundled(spec: ProviderSpec, home: string): string | null {
  const places = spec.bundlePaths.map((path) => (path.startsWith("~/") ? join(home, path.slice(2)) : path));
  return places.find(isExecutableFile) ?? null;
}

/** A second look at what failed fast; a version that is too low is no accident. */
async function examineTwice(spec: ProviderSpec, located: Located | null, options: DetectOptions): Promise<DetectedAgent | SkippedAgent> {
  const clock = options.clock ?? systemClock;
  const start = clock.monotonic();
  const first = await examine(spec, located, options);
  if (!("cause" in first) || first.cause === "absent" || first.cause === "below_minimum") return first;
  if (clock.monotonic() - start >= RETRY_WINDOW_MS || options.signal?.aborted === true) return first;
  await clock.sleep(RETRY_DELAY_MS, options.signal).catch(() => undefined);
  // An aborted look keeps what it really found.
  const stopped: boolean = options.signal?.aborted ?? false;
  return stopped ? first : await examine(spec, located, options);
}

async function examine(spec: ProviderSpec, located: Located | null, options: DetectOptions): Promise<DetectedAgent | SkippedAgent> {
  if (located === null) {
    return { provider: spec.id, reason: `executable not found: ${wantedCommand(spec, options.env).command}`, cause: "absent" };
  }
  const probe = await probeVersion({
    executable: located.path,
    probeArgs: spec.version.probeArgs,
    env: options.env,
    cwd: options.cwd,
    ...(options.probeTimeoutMs === undefined ? {} : { timeoutMs: options.probeTimeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (!probe.ok) {
    const foreign = probe.answered ? null : notForThisSystem(located.path);
    if (foreign !== null) return unusable(spec, located.path, foreign);
    return { provider: spec.id, reason: probe.reason, cause: "unavailable" };
  }
  const refusal = versionRefusal(spec.id, probe.version, spec.version.min);
  if (refusal !== null) {
    // A shell that was handed an empty file says nothing and succeeds.
    const foreign = probe.version === "" ? notForThisSystem(located.path) : null;
    if (foreign !== null) return unusable(spec, located.path, foreign);
    return { provider: spec.id, reason: refusal, cause: isBelow(probe.version, spec.version.min) ? "below_minimum" : "unavailable" };
  }
  return { provider: spec.id, path: located.path, version: probe.version, source: located.source };
}

function unusable(spec: ProviderSpec, path: string, why: string): SkippedAgent {
  return { provider: spec.id, reason: `${path} cannot be executed here: ${why}`, cause: "not_executable" };
}
