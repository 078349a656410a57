import { setFileTime } from "../platform/index.ts";
import { ensureCodexHome } from "./checks/reuse.ts";
import { disabledPaths } from "./codex/disabled-skills.ts";
import { codexFacts, codexRecord } from "./codex/facts.ts";
import { mcpLines } from "./codex/mcp.ts";
import { isStoreLink, sessionStore } from "./codex/session-store.ts";
import { wantsShellPolicy, writeShellPolicy } from "./codex/shell-policy.ts";
import { sharedCodexHome } from "./codex/shared-home.ts";
import { envPaths } from "./layout.ts";
import type { CodexRecord } from "./record.ts";
import type { Environment, PrepareInput } from "./types.ts";

export interface HomeResult {
  readonly env: Readonly<Record<string, string>>;
  readonly codexHome?: string;
  readonly codexRecord?: CodexRecord;
  readonly shell?: NonNullable<Environment["shell"]>;
}

type HomeBuilder = (root: string, input: PrepareInput) => Promise<HomeResult>;

/** Providers whose agent gets a home directory of its own in the env root; all others run on the user's. */
const BUILDERS: Readonly<Record<string, HomeBuilder>> = { codex: buildCodexHome };

/** Makes or completes the provider's home; throws when the agent must not be started without it. */
export async function buildProviderHome(root: string, input: PrepareInput): Promise<HomeResult> {
  const builder = BUILDERS[input.provider];
  const made = builder === undefined ? { env: {} } : await builder(root, input);
  if (input.checkoutMode === undefined || input.checkoutMode === "auto") return made;
  const others = Object.entries(made.env).filter(([name]) => name !== CHECKOUT_MODE);
  return { ...made, env: Object.fromEntries(input.checkoutMode === "isolated" ? [...others, [CHECKOUT_MODE, "isolated"]] : others) };
}

/** Tells `repo checkout` which kind to ask for; absent: linked. */
const CHECKOUT_MODE = "MULTICA_REPO_CHECKOUT_MODE";

async function buildCodexHome(root: string, input: PrepareInput): Promise<HomeResult> {
  const home = envPaths(root).codexHome;
  const { task, host } = input;
  const sharedHome = sharedCodexHome(host, input.workspacesRoot);
  const workspaceSkills = (task.skills ?? []).map((skill) => skill.name);
  const conversation = { profile: input.profile ?? "", agentId: task.agentId ?? "", issueId: task.issueId ?? "", chatSessionId: task.chatSessionId ?? "" };
  const codex = codexFacts({
    home,
    sharedHome,
    host,
    cliVersion: input.cliVersion,
    resume: input.priorSessionId,
    workspaceSkills,
    sessionStore: sessionStore(sharedHome, conversation),
    // Nothing is continued in an environment of a user's directory: its sessions have to be somewhere else.
    linkStore: input.localWorkDir !== undefined || input.sharedWorkDir !== undefined,
    // The names for the shell block are known when the agent starts; until then it is left as it is.
    tables: { mcp_servers: mcpLines(input.mcpConfig, input.cliVersion), ...(wantsShellPolicy(host) ? {} : { "shell-environment": null }) },
    disabledSkills: disabledPaths(input.disabledSkills ?? [], { codexHome: home, userHome: host.home, workspaceSkills }),
  });
  await ensureCodexHome(root, input, codex);
  // The collector of stores goes by this time.
  if (codex.sessionStore !== null && isStoreLink(home, codex.sessionStore)) await setFileTime(codex.sessionStore, Math.floor(input.now() / 1000));
  // The sandbox keeps a git directory outside the workdir read-only: checkouts must carry their own (decision 11).
  const isolated = codex.policy.mode === "workspace-write" && input.host.platform !== "darwin";
  return {
    env: { CODEX_HOME: home, ...(isolated ? { [CHECKOUT_MODE]: "isolated" } : {}) },
    codexHome: home,
    codexRecord: codexRecord(codex, input.cliVersion),
    ...(wantsShellPolicy(host) ? { shell: (variables) => writeShellPolicy(home, codex.wants, variables) } : {}),
  };
}
