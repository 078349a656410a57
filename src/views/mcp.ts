import type { McpServerInfo } from "../lib/wire/index.ts";
import { tableText } from "./table.ts";

/** `workspace mcp …` and `agent mcp …`. */
export function mcpTable(servers: readonly McpServerInfo[]): string {
  return tableText(
    ["ID", "NAME", "TRANSPORT", "STATUS"],
    servers.map((one) => [one.id, one.name, one.transport, one.enabled ? "enabled" : "disabled"]),
  );
}
