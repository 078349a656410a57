import type { McpServer } from "@agentclientprotocol/sdk";
import { asString, isObject, parseJson } from "../../../core/index.ts";

export type McpConversion =
  | { readonly kind: "servers"; readonly servers: readonly McpServer[]; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly why: string };

const OTHER_KEYS = ["servers", "mcp", "mcp_servers"];

/**
 * A managed MCP configuration as ACP wants it, in the order of the names (agents.md 7.3). An entry that cannot be used is
 * left out with a warning, which never shows a value; a configuration of another shape is invalid as a whole.
 */
export function mcpServers(config: unknown): McpConversion {
  if (config === undefined || config === null || (typeof config === "string" && config.trim() === "")) return { kind: "servers", servers: [], warnings: [] };
  const value = typeof config === "string" ? parseJson(config) : config;
  if (!isObject(value)) return { kind: "invalid", why: "it is no JSON object" };
  const entries = value.mcpServers;
  if (entries === undefined || entries === null) return { kind: "servers", servers: [], warnings: otherKeys(value) };
  if (!isObject(entries)) return { kind: "invalid", why: "mcpServers is no object" };
  const warnings: string[] = [];
  const servers = Object.keys(entries)
    .sort()
    .flatMap((name) => {
      const server = serverOf(name, entries[name]);
      if (server === null) warnings.push(`the MCP server ${JSON.stringify(name)} has neither a command nor a url; left out`);
      return server === null ? [] : [server];
    });
  return { kind: "servers", servers, warnings };
}

/** Those that the agent can reach: remote ones only where it says that it speaks their transport. */
export function reachable(servers: readonly McpServer[], capabilities: Readonly<Record<string, unknown>>): { readonly servers: McpServer[]; readonly dropped: string[] } {
  const mcp = isObject(capabilities.mcpCapabilities) ? capabilities.mcpCapabilities : {};
  const kept = servers.filter((server) => !("type" in server) || (server.type === "sse" ? mcp.sse === true : mcp.http === true));
  return { servers: kept, dropped: servers.filter((server) => !kept.includes(server)).map((server) => server.name) };
}

function serverOf(name: string, entry: unknown): McpServer | null {
  if (!isObject(entry)) return null;
  const command = asString(entry.command);
  if (command.trim() !== "") {
    const args = Array.isArray(entry.args) ? entry.args.filter((arg) => typeof arg === "string") : [];
    return { name, command, args, env: pairs(entry.env) };
  }
  const url = asString(entry.url);
  if (url.trim() === "") return null;
  return { type: entry.type === "sse" ? "sse" : "http", name, url, headers: pairs(entry.headers) };
}

function pairs(value: unknown): { name: string; value: string }[] {
  if (!isObject(value)) return [];
  return Object.entries(value)
    .filter((pair): pair is [string, string] => typeof pair[1] === "string")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, text]) => ({ name, value: text }));
}

function otherKeys(value: Readonly<Record<string, unknown>>): string[] {
  return OTHER_KEYS.flatMap((key) => {
    const found = value[key];
    const count = isObject(found) ? Object.keys(found).length : 0;
    return count === 0 ? [] : [`the MCP configuration has ${count} servers under ${JSON.stringify(key)}, not under "mcpServers"; none is used`];
  });
}
