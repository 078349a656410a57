import { ensureCodexHome } from "./checks/reuse.ts";
import { codexFacts, codexRecord } from "./codex/facts.ts";
import { sharedCodexHome } from "./codex/shared-home.ts";
import { envPaths } from "./layout.ts";
import type { CodexRecord } from "./record.ts";
import type { PrepareInput } from "./types.ts";

export interface HomeResult {
  readonly env: Readonly<Record<string, string>>;
  readonly codexHome?: string;
  readonly codexRecord?: CodexRecord;
}

type HomeBuilder = (root: string, input: PrepareInput) => Promise<HomeResult>;

/** Providers whose agent gets a home directory of its own in the env root; all others run on the user's. */
const BUILDERS: Readonly<Record<string, HomeBuilder>> = { codex: buildCodexHome };

/** Makes or completes the provider's home; throws when the agent must not be started without it. */
export async function buildProviderHome(root: string, input: PrepareInput): Promise<HomeResult> {
  const builder = BUILDERS[input.provider];
  return builder === undefined ? { env: {} } : builder(root, input);
}

async function buildCodexHome(root: string, input: PrepareInput): Promise<HomeResult> {
  const home = envPaths(root).codexHome;
  const codex = codexFacts({
    home,
    sharedHome: sharedCodexHome(input.host, input.workspacesRoot),
    host: input.host,
    cliVersion: input.cliVersion,
    resume: input.priorSessionId,
    workspaceSkills: (input.task.skills ?? []).map((skill) => skill.name),
  });
  await ensureCodexHome(root, input, codex);
  // The sandbox keeps a git directory outside the workdir read-only: checkouts must carry their own (decision 11).
  const isolated = codex.policy.mode === "workspace-write" && input.host.platform !== "darwin";
  return {
    env: { CODEX_HOME: home, ...(isolated ? { MULTICA_REPO_CHECKOUT_MODE: "isolated" } : {}) },
    codexHome: home,
    codexRecord: codexRecord(codex, input.cliVersion),
  };
}
