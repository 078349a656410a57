import { acpModels } from "../models/acp.ts";
import { acpReducer } from "../families/acp/reducer.ts";
import { DEFAULT_LINE_MAX, DEFAULT_PROCESS_LIMITS, type ProviderSpec } from "../provider.ts";
import { startReducer } from "../reducer.ts";

/** Any agent that speaks the Agent Client Protocol; a runtime profile gives its command line (decision 13). */
export const acp: ProviderSpec = {
  id: "acp",
  family: "acp",
  displayName: "ACP agent",
  launchHeader: "acp agent",
  command: null,
  profileFamily: true,
  variables: { path: null, model: null, args: null },
  bundlePaths: [],
  version: { min: null, probeArgs: ["--version"] },
  ownedFlags: {},
  takesExtraArgs: false,
  argv: () => ({ protocol: [], final: [] }),
  trustedLiterals: ["acp", "--acp"],
  env: {},
  contextFile: "AGENTS.md",
  skillsDir: ".agents/skills",
  managedMcp: true,
  // Which file an unknown agent reads is not known: it gets its brief with the prompt as well.
  systemPrompt: "inline",
  stderrLabel: "acp",
  process: DEFAULT_PROCESS_LIMITS,
  models: acpModels,
  inventory: null,
  lineMax: DEFAULT_LINE_MAX,
  reducer: startReducer(acpReducer),
};
