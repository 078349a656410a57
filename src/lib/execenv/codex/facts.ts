import { MulticaError } from "../../core/index.ts";
import { envValue } from "../../platform/index.ts";
import type { CodexRecord } from "../record.ts";
import type { HostFacts } from "../types.ts";
import type { ManagedWants } from "./config/blocks.ts";
import { disabledLines } from "./disabled-skills.ts";
import { type SandboxPolicy, sandboxPolicy } from "./sandbox-policy.ts";

export type SessionsMode = "shared" | "isolated";

/** What the Codex home of one environment has to be. */
export interface CodexFacts {
  /** Absolute `CODEX_HOME`. */
  readonly home: string;
  /** Absolute home of the user; only `sessions` and `plugins/cache` are ever created in it. */
  readonly sharedHome: string;
  readonly policy: SandboxPolicy;
  readonly wants: ManagedWants;
  readonly sessionsMode: SessionsMode;
  /** Where sessions of this conversation are kept outside of its environments; null: nowhere. */
  readonly sessionStore: string | null;
  /** Isolated sessions have to be a link to the store; else they may be, and a directory of the home does as well. */
  readonly linkStore: boolean;
  /** The task's session to resume, which isolated sessions have to hold; empty = none. */
  readonly resume: string;
  /** Directory names in `skills/` that belong to the workspace's skills. */
  readonly workspaceSkills: readonly string[];
  /** `SKILL.md` files that Codex is to leave out; undefined: nothing is known of that. */
  readonly disabledSkills: readonly string[] | undefined;
}

/** The settings that a home was made with, as its record keeps them; a variable that is set now wins. */
export interface CodexSettings {
  readonly sandbox_mode?: unknown;
  readonly multi_agent?: unknown;
  readonly memory?: unknown;
  readonly sessions_mode?: unknown;
  readonly disabled_skills?: unknown;
}

/** Facts from the machine and, where it says nothing, from the record. Throws `bad_setting`. */
export function codexFacts(input: {
  home: string;
  sharedHome: string;
  host: Pick<HostFacts, "env" | "platform">;
  cliVersion: string | undefined;
  recorded?: CodexSettings | undefined;
  resume?: string | undefined;
  workspaceSkills?: readonly string[] | undefined;
  sessionStore?: string | null | undefined;
  linkStore?: boolean | undefined;
  /** Blocks that only the task's own data can fill, and those that are not to be there. */
  tables?: ManagedWants["tables"];
  disabledSkills?: readonly string[] | undefined;
}): CodexFacts {
  const { host, recorded } = input;
  const disabled = input.disabledSkills ?? pathsOf(recorded?.disabled_skills);
  const keep = recorded?.sandbox_mode;
  const known = keep === "workspace-write" || keep === "danger-full-access" ? keep : undefined;
  const set = envValue(host.env, "MULTICA_CODEX_SANDBOX") !== undefined;
  const policy: SandboxPolicy = known === undefined || set ? sandboxPolicy(host, input.cliVersion) : { mode: known, reason: "the home was made with it" };
  return {
    home: input.home,
    sharedHome: input.sharedHome,
    policy,
    wants: {
      sandbox: policy.mode,
      multiAgent: isManaged(host, "MULTICA_CODEX_MULTI_AGENT", recorded?.multi_agent),
      memory: isManaged(host, "MULTICA_CODEX_MEMORY", recorded?.memory),
      tables: { ...input.tables, ...(disabled === undefined ? {} : { "disabled-skills": disabled.length === 0 ? null : disabledLines(disabled) }) },
    },
    sessionsMode: sessionsMode(host, recorded?.sessions_mode),
    sessionStore: input.sessionStore ?? null,
    linkStore: input.linkStore ?? false,
    resume: input.resume ?? "",
    workspaceSkills: input.workspaceSkills ?? [],
    disabledSkills: disabled,
  };
}

function pathsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((path): path is string => typeof path === "string" && path.endsWith("SKILL.md")) : undefined;
}

/** The block is ours to write unless the variable lets Codex have the feature (execenv.md 7.9, opt-outs). */
function isManaged(host: Pick<HostFacts, "env">, name: string, recorded: unknown): boolean {
  const value = envValue(host.env, name);
  if (value === undefined) return typeof recorded === "boolean" ? recorded : true;
  return !["1", "true", "yes", "on"].includes(value.toLowerCase());
}

function sessionsMode(host: Pick<HostFacts, "env">, recorded: unknown): SessionsMode {
  const value = envValue(host.env, "MULTICA_CODEX_SESSIONS");
  if (value === undefined) return recorded === "isolated" ? "isolated" : "shared";
  if (value === "shared" || value === "isolated") return value;
  throw new MulticaError("bad_setting", `MULTICA_CODEX_SESSIONS is ${JSON.stringify(value)}`, { suggestions: ["Use shared or isolated."] });
}

/** What the record keeps of a home that was made or completed by these facts. */
export function codexRecord(facts: CodexFacts, cliVersion: string | undefined): CodexRecord {
  return {
    shared_home: facts.sharedHome,
    cli_version: cliVersion ?? "",
    sessions_mode: facts.sessionsMode,
    session_store: facts.sessionsMode === "isolated" ? facts.sessionStore : null,
    sandbox_mode: facts.policy.mode,
    multi_agent: facts.wants.multiAgent,
    memory: facts.wants.memory,
    ...(facts.disabledSkills === undefined || facts.disabledSkills.length === 0 ? {} : { disabled_skills: facts.disabledSkills }),
  };
}
