import type { AgentInput } from "../lib/wire/agents.ts";
import { isObject, parseJson } from "../lib/core/index.ts";
import { switchFlag, textFlag } from "./flags.ts";
import { usage } from "./resolve.ts";
import { readSecret } from "./secret-input.ts";

/** The sources of the environment of an agent's runs; it may hold credentials. */
export const customEnvFlags = {
  "custom-env": textFlag("environment of its runs, as a JSON object; prefer --custom-env-stdin", { helpValue: "<json>" }),
  "custom-env-stdin": switchFlag("read the environment from standard input"),
  "custom-env-file": textFlag("read the environment from a file", { helpValue: "<path>" }),
};

interface CustomEnvValues {
  readonly "custom-env"?: string | undefined;
  readonly "custom-env-stdin": boolean;
  readonly "custom-env-file"?: string | undefined;
}

/** The environment as a JSON object of texts, from one source at most. Blank is an error, never a silent clear (cli.md 4.9.2). */
export async function customEnvironment(flags: CustomEnvValues, cwd: string): Promise<Record<string, string> | undefined> {
  const sources = { inline: flags["custom-env"], stdin: flags["custom-env-stdin"], file: flags["custom-env-file"] };
  const text = await readSecret({ name: "custom-env", ...sources, cwd });
  if (text === undefined) return undefined;
  if (text.trim() === "") throw usage("the custom environment is blank", "{} clears it.");
  const value = parseJson(text);
  if (value === null) return {};
  if (isObject(value) && Object.values(value).every((entry) => typeof entry === "string")) return value as Record<string, string>;
  throw usage("the custom environment must be a JSON object with text values");
}

/** The sources of an agent's own MCP configuration. */
export const mcpConfigFlags = {
  "mcp-config": textFlag("MCP servers of its runs, as a JSON object with mcpServers; null clears; prefer --mcp-config-stdin", { helpValue: "<json>" }),
  "mcp-config-stdin": switchFlag("read the MCP configuration from standard input"),
  "mcp-config-file": textFlag("read the MCP configuration from a file", { helpValue: "<path>" }),
};

interface McpConfigValues {
  readonly "mcp-config"?: string | undefined;
  readonly "mcp-config-stdin": boolean;
  readonly "mcp-config-file"?: string | undefined;
}

/** `{mcp_config}` from one source at most, `{}` without one; errors never quote it. */
export async function mcpConfigField(flags: McpConfigValues, cwd: string): Promise<{ mcp_config?: Record<string, unknown> | null }> {
  const sources = { inline: flags["mcp-config"], stdin: flags["mcp-config-stdin"], file: flags["mcp-config-file"] };
  const text = await readSecret({ name: "mcp-config", ...sources, cwd });
  if (text === undefined) return {};
  if (text.trim() === "") throw usage("the MCP configuration is blank", "null clears it.");
  const value = parseJson(text);
  if (value === null || isObject(value)) return { mcp_config: value };
  throw usage("the MCP configuration must be a JSON object or null");
}

/** What a new agent is given that only flags can say: environment and MCP configuration. One standard input cannot be both. */
export async function agentSecrets(flags: CustomEnvValues & McpConfigValues, cwd: string): Promise<Pick<AgentInput, "custom_env" | "mcp_config">> {
  if (flags["custom-env-stdin"] && flags["mcp-config-stdin"]) throw usage("--custom-env-stdin and --mcp-config-stdin exclude each other");
  const environment = await customEnvironment(flags, cwd);
  return { ...(environment === undefined ? {} : { custom_env: environment }), ...(await mcpConfigField(flags, cwd)) };
}
