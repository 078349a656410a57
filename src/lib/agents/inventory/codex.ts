import { join } from "node:path";
import { parse } from "smol-toml";
import { isObject } from "../../core/index.ts";
import { envValue, readTextIfExists } from "../../platform/index.ts";
import type { McpServerEntry } from "../../wire/index.ts";
import type { InventoryHost, LocalInventory } from "./types.ts";

/** Codex keeps both in its home directory. */
export const codexInventory: LocalInventory = {
  skillsRoot: (host) => join(codexHome(host), "skills"),
  canDisable: true,
  mcpServers: async (host) => {
    const text = await readTextIfExists(join(codexHome(host), "config.toml"));
    const servers = text === undefined || text === null ? undefined : parse(text)["mcp_servers"];
    return isObject(servers) ? Object.entries(servers).flatMap(([name, entry]) => entryOf(name, entry)) : [];
  },
};

function codexHome({ env, home }: InventoryHost): string {
  return envValue(env, "CODEX_HOME") ?? join(home, ".codex");
}

/** Only what identifies a server: command, address, headers and environment may hold secrets. */
function entryOf(name: string, entry: unknown): McpServerEntry[] {
  if (!isObject(entry)) return [];
  const transport = typeof entry["url"] === "string" ? "http" : "stdio";
  return [{ name, transport, source: "user", enabled: entry["enabled"] !== false }];
}
