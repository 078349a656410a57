import { lstat } from "node:fs/promises";
import { parse } from "smol-toml";
import { isObject } from "../../core/index.ts";
import { chmodPath, readTextIfExists, writeFileAtomic } from "../../platform/index.ts";
import type { ConfigFault } from "../codex/config/blocks.ts";
import { planConfig } from "../codex/config/render.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import type { Code } from "./codes.ts";
import { CONFIG, readConfig, sharedConfig } from "./config-file.ts";
import { homePath, keepCopy, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const CODE_OF: Readonly<Record<ConfigFault, Code>> = {
  MISSING: "CH_CONFIG_BLOCK_MISSING",
  OUTDATED: "CH_CONFIG_BLOCK_OUTDATED",
  DUPLICATE: "CH_CONFIG_BLOCK_DUPLICATE",
  MISPLACED: "CH_CONFIG_BLOCK_MISPLACED",
  FOREIGN: "CH_CONFIG_BLOCK_FOREIGN",
  CONFLICT_KEY: "CH_CONFIG_CONFLICT_KEY",
  SKILLS_ENTRY: "CH_CONFIG_SKILLS_ENTRY",
};

/**
 * The managed blocks of `config.toml` (execenv.md 7.9). One pass and one write put all of them right, whichever finding
 * it is asked for; what a person wrote and no longer stands in the file is kept as a whole copy.
 */
export const configBlocksCheck: Check = {
  id: "config-blocks",
  section: "codex",
  codes: Object.values(CODE_OF),

  async check(context) {
    const plan = await planOf(context);
    const expected = context.codex?.policy.mode === "workspace-write" ? "the managed blocks, network access allowed" : "the managed blocks";
    // More than one fault of a kind in a block is one finding: findings are told apart by code and path.
    const found = new Map<string, Finding>();
    for (const issue of plan?.issues ?? []) {
      const where = issue.fault === "CONFLICT_KEY" ? issue.detail : issue.block;
      const path = where === null ? shown(CONFIG) : `${shown(CONFIG)}#${where}`;
      found.set(`${issue.fault} ${path}`, finding(CODE_OF[issue.fault], { path, expected, actual: issue.detail }));
    }
    return [...found.values()];
  },

  async repair(context) {
    const plan = await planOf(context);
    if (plan === undefined || plan.issues.length === 0) return {};
    const backup = plan.dropsForeign ? await keepCopy(context, CONFIG) : undefined;
    const path = homePath(context, CONFIG);
    // New content may hold what the old mode did not protect; a tighter mode of the old file stays.
    await writeFileAtomic(path, plan.text, { mode: (await lstat(path)).mode & 0o600 });
    logSandbox(context);
    return { backup };
  },
};

function logSandbox(context: CheckContext): void {
  const { codex, target } = context;
  if (codex === undefined) return;
  const fields = { home: codex.home, mode: codex.policy.mode, reason: codex.policy.reason };
  if (codex.policy.mode === "danger-full-access") {
    target.logger.warn("codex runs without its sandbox; set MULTICA_CODEX_SANDBOX=workspace-write to force it", fields);
  } else target.logger.debug("codex sandbox set", fields);
}

async function planOf(context: CheckContext): Promise<ReturnType<typeof planConfig> | undefined> {
  if (context.codex === undefined || (await placeKind(context, CONFIG)) !== "file") return undefined;
  const read = await readConfig(context).catch(() => undefined);
  try {
    if (read?.wellFormed !== true) return undefined;
    const plan = planConfig(read.text, context.codex.wants);
    if (plan.issues.length === 0) return plan;
    const source = sharedConfig(context);
    const shared = (await reachable(source)) === "file" ? await readTextIfExists(source) : undefined;
    return planConfig(read.text, context.codex.wants, shared);
  } catch {
    // That it does not parse, or cannot be read, is a finding of the file, which comes before its blocks.
    return undefined;
  }
}

/** A `config.toml` with secrets of MCP servers or of a provider must not be readable by others. */
export const configModeCheck: Check = {
  id: "config-mode",
  section: "codex",
  codes: ["CH_CONFIG_MODE"],

  async check(context) {
    if (context.codex === undefined || (await placeKind(context, CONFIG)) !== "file") return [];
    const mode = (await lstat(homePath(context, CONFIG))).mode & 0o777;
    if ((mode & 0o077) === 0 || !holdsSecrets((await readConfig(context).catch(() => undefined))?.text ?? "")) return [];
    return [finding("CH_CONFIG_MODE", { path: shown(CONFIG), expected: "0600", actual: `0${mode.toString(8)}` })];
  },

  async repair(context) {
    await chmodPath(homePath(context, CONFIG), 0o600);
    return {};
  },
};

function holdsSecrets(text: string): boolean {
  try {
    const config: unknown = parse(text);
    if (!isObject(config)) return false;
    const providers = Object.values(isObject(config["model_providers"]) ? config["model_providers"] : {});
    const policy = config["shell_environment_policy"];
    return config["mcp_servers"] !== undefined || (isObject(policy) && policy["set"] !== undefined) || providers.some((one) => isObject(one) && (one["http_headers"] !== undefined || one["experimental_bearer_token"] !== undefined));
  } catch {
    return false;
  }
}
