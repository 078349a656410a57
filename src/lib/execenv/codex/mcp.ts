import { MulticaError, isObject } from "../../core/index.ts";
import { inlineToml, tomlKey } from "./config/inline.ts";
import { atLeast } from "./sandbox-policy.ts";

/** From this release on Codex calls the key unknown and warns about it in every thread; older ones need it (seen with 0.169.0). */
const RMCP_ALWAYS = "0.169.0";

/** Keys that are for us, or say what Codex sees from the other keys. */
const SELECTORS = ["tools", "prompts", "resources"];

/**
 * The tables of an agent's managed MCP servers as lines of `config.toml`, by name (execenv.md 7.9, agents.md 14.3).
 * Null: not managed, the user's own servers apply. An empty list: strictly none.
 * Throws `codex_mcp_invalid` naming the server and the key; values are never shown.
 */
export function mcpLines(config: unknown, cliVersion: string | undefined): string[] | null {
  if (config === null || config === undefined || config === "") return null;
  if (!isObject(config)) throw invalid("it is no JSON object");
  const servers = config["mcpServers"] ?? {};
  if (!isObject(servers)) throw invalid("mcpServers is no object");
  const stray = ["servers", "mcp", "mcp_servers"].find((key) => config["mcpServers"] === undefined && config[key] !== undefined);
  if (stray !== undefined) throw invalid(`its servers stand under ${JSON.stringify(stray)}, not under "mcpServers"`);
  return Object.keys(servers)
    .sort()
    .flatMap((name, index) => [...(index === 0 ? [] : [""]), ...serverLines(name, servers[name], cliVersion)]);
}

function serverLines(name: string, server: unknown, cliVersion: string | undefined): string[] {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw invalid(`the name ${JSON.stringify(name)} has other characters than letters, digits, "_" and "-"`);
  if (!isObject(server)) throw invalid(`the server ${name} is no object`);
  const given: Record<string, unknown> = { ...server };
  for (const key of SELECTORS) delete given[key];
  const kind = given["type"];
  const remote = kind === "http" || (given["url"] !== undefined && given["command"] === undefined);
  if (remote || kind === "stdio") delete given["type"];
  if (remote) {
    if (given["headers"] !== undefined) given["http_headers"] ??= given["headers"];
    delete given["headers"];
    if (!atLeast(cliVersion ?? "", RMCP_ALWAYS)) given["experimental_use_rmcp_client"] = true;
  }
  const keys = Object.keys(given).sort();
  return [`[mcp_servers.${name}]`, ...keys.map((key) => `${tomlKey(key)} = ${inlineToml(sorted(given[key], `${name}.${key}`))}`)];
}

/** Keys in order, so that equal settings give equal bytes. */
function sorted(value: unknown, where: string): unknown {
  if (value === null || value === undefined) throw invalid(`${where} is null`);
  if (Array.isArray(value)) return value.map((item) => sorted(item, where));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key], `${where}.${key}`)]));
}

function invalid(why: string): MulticaError {
  return new MulticaError("codex_mcp_invalid", `apply codex mcp_config: ${why}`, { suggestions: ["Correct the agent's MCP configuration."] });
}
