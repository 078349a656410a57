import { codexInventory } from "../inventory/codex.ts";
import { codexModels } from "../models/codex.ts";
import { DEFAULT_LINE_MAX, DEFAULT_PROCESS_LIMITS, type ProviderSpec } from "../provider.ts";
import { startReducer } from "../reducer.ts";
import { filterCodexArgs } from "../families/codex/args.ts";
import { codexReducer } from "../families/codex/reducer.ts";

/** Codex through its app-server (agents.md 14). */
export const codex: ProviderSpec = {
  id: "codex",
  family: "codex",
  displayName: "Codex",
  launchHeader: "codex app-server",
  command: "codex",
  profileFamily: true,
  variables: { path: "MULTICA_CODEX_PATH", model: "MULTICA_CODEX_MODEL", args: "MULTICA_CODEX_ARGS" },
  bundlePaths: ["/Applications", "~/Applications"].flatMap((root) =>
    ["ChatGPT.app", "Codex.app"].map((app) => `${root}/${app}/Contents/Resources/codex`),
  ),
  version: { min: "0.100.0", probeArgs: ["--version"] },
  ownedFlags: { "--listen": "v" },
  filterArgs: filterCodexArgs,
  takesExtraArgs: true,
  argv: ({ options }) => ({
    protocol: ["app-server", "--listen", "stdio://"],
    final: options.serviceTier === "priority" ? ["--enable", "fast_mode"] : [],
  }),
  trustedLiterals: ["app-server"],
  env: {},
  contextFile: "AGENTS.md",
  skillsDir: null,
  managedMcp: true,
  systemPrompt: "context-file",
  stderrLabel: "codex",
  process: DEFAULT_PROCESS_LIMITS,
  models: codexModels,
  ownDefaultModel: true,
  inventory: codexInventory,
  lineMax: DEFAULT_LINE_MAX,
  reducer: startReducer(codexReducer),
};
