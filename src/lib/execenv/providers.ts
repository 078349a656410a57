/** Where an agent looks in its working directory (execenv.md 9.1). */
export interface ProviderFiles {
  /** The file it reads its brief from; null: none, the brief goes with the prompt. */
  readonly brief: string | null;
  /** Below the workdir, separated by `/`; null: the skills live in the provider's own home. */
  readonly skills: string | null;
}

const ROWS: Readonly<Record<string, ProviderFiles>> = {
  acp: { brief: "AGENTS.md", skills: ".agents/skills" },
  antigravity: { brief: "AGENTS.md", skills: ".agents/skills" },
  claude: { brief: "CLAUDE.md", skills: ".claude/skills" },
  codebuddy: { brief: "CODEBUDDY.md", skills: ".codebuddy/skills" },
  codex: { brief: "AGENTS.md", skills: null },
  copilot: { brief: "AGENTS.md", skills: ".github/skills" },
  cursor: { brief: "AGENTS.md", skills: ".cursor/skills" },
  deveco: { brief: "AGENTS.md", skills: ".deveco/skills" },
  dim: { brief: "AGENTS.md", skills: ".agent_context/skills" },
  dsh: { brief: "AGENTS.md", skills: ".dsh/skills" },
  gemini: { brief: "GEMINI.md", skills: ".gemini/skills" },
  grok: { brief: "AGENTS.md", skills: ".grok/skills" },
  // Read from its own home once that is built; the fallback is where a person would look for them.
  hermes: { brief: "AGENTS.md", skills: ".agent_context/skills" },
  kimi: { brief: "AGENTS.md", skills: ".kimi/skills" },
  kiro: { brief: "AGENTS.md", skills: ".kiro/skills" },
  mcode: { brief: "AGENTS.md", skills: ".minimax/skills" },
  omp: { brief: "AGENTS.md", skills: ".omp/skills" },
  openclaw: { brief: "AGENTS.md", skills: "skills" },
  opencode: { brief: "AGENTS.md", skills: ".opencode/skills" },
  pi: { brief: "AGENTS.md", skills: ".pi/skills" },
  qoder: { brief: "AGENTS.md", skills: ".qoder/skills" },
  qoderclicn: { brief: "AGENTS.md", skills: ".qoder/skills" },
  qwen: { brief: "QWEN.md", skills: ".qwen/skills" },
  qwenpaw: { brief: "AGENTS.md", skills: "skill_pool" },
  reasonix: { brief: "AGENTS.md", skills: ".reasonix/skills" },
  traecli: { brief: "AGENTS.md", skills: ".traecli/skills" },
};

const UNKNOWN: ProviderFiles = { brief: null, skills: ".agent_context/skills" };

/** One table for writing, finding again and cleaning up, so that the three cannot drift apart. */
export function providerFiles(provider: string): ProviderFiles {
  return Object.hasOwn(ROWS, provider) ? (ROWS[provider] ?? UNKNOWN) : UNKNOWN;
}

/** Every skills directory and brief file there is: what a task may have left in a user's directory. */
export function allProviderFiles(): readonly ProviderFiles[] {
  return [...Object.values(ROWS), UNKNOWN];
}
