import type { Env } from "../platform/index.ts";

/** Git's own variables that are passed on: transport, trust and configuration of the user. Any other `GIT_*` is dropped. */
const PASSED = new Set([
  "GIT_ASKPASS",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_PROXY_COMMAND",
  "GIT_EXEC_PATH",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_ALLOW_PROTOCOL",
]);
const PASSED_PREFIXES = ["GIT_SSL_", "GIT_HTTP_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"];

/** Dropped whatever they are: programs that git would start on a terminal, and what belongs to our own processes. */
const DROPPED = new Set(["EDITOR", "VISUAL", "PAGER", "PREFIX", "LANGUAGE", "LC_ALL", "NODE_OPTIONS", "BASH_ENV", "ENV"]);

export interface GitEnvironment {
  readonly env: Env;
  /** The guarded names in `env`, for simple-git's allow list. */
  readonly guarded: readonly string[];
}

/**
 * The environment of every git process (repocache.md 2): the user's, so that credential helpers, ssh agents and proxies
 * work, without what would move git to another repository; no prompts, English messages, every directory trusted.
 */
export function gitEnvironment(source: Readonly<Env>): GitEnvironment {
  const env: Env = {};
  for (const [name, value] of Object.entries(source)) if (isPassed(name)) env[name] = value;
  const protocols = env["GIT_ALLOW_PROTOCOL"];
  if (protocols !== undefined) env["GIT_ALLOW_PROTOCOL"] = withoutExt(protocols);
  appendConfig(env, source["GIT_CONFIG_COUNT"], "safe.directory", "*");
  env["GIT_TERMINAL_PROMPT"] = "0";
  env["LC_ALL"] = "C";
  const guarded = Object.keys(env).filter((name) => name.startsWith("GIT_") || name === "SSH_ASKPASS");
  return { env, guarded };
}

function isPassed(name: string): boolean {
  if (DROPPED.has(name.toUpperCase()) || name.startsWith("MULTICA_")) return false;
  if (!name.toUpperCase().startsWith("GIT_")) return true;
  return PASSED.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function withoutExt(protocols: string): string {
  return protocols
    .split(":")
    .filter((name) => name !== "ext" && name !== "fd")
    .join(":");
}

/** Adds one entry behind those already there; a count that cannot be read is zero. */
function appendConfig(env: Env, countText: string | undefined, key: string, value: string): void {
  const count = countText !== undefined && /^\d{1,4}$/.test(countText) ? Number(countText) : 0;
  env["GIT_CONFIG_COUNT"] = String(count + 1);
  env[`GIT_CONFIG_KEY_${count}`] = key;
  env[`GIT_CONFIG_VALUE_${count}`] = value;
}
