import { isUniqueViolation } from "../../../platform/index.ts";
import type { McpServerInput } from "../../../wire/index.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { McpServerRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

// What the strictest of the agents can take: the name becomes a table of its configuration and a part of its tools' names.
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The workspace's MCP servers by name. */
export function listMcpServers(db: Tx["db"], workspaceId: string): McpServerRow[] {
  return all<McpServerRow>(db, "SELECT * FROM mcp_server WHERE workspace_id = :workspaceId ORDER BY name", { workspaceId });
}

/** The MCP server within its workspace; 404 `mcp server not found`. */
export function loadMcpServer(db: Tx["db"], workspaceId: string, id: string): McpServerRow {
  const row = one<McpServerRow>(db, "SELECT * FROM mcp_server WHERE id = :id AND workspace_id = :workspaceId", { id, workspaceId });
  if (row === undefined) throw notFound("mcp server");
  return row;
}

/** Adds a server to the workspace (server-api.md 13.2). Throws 400 and 409; no message quotes the configuration. */
export function createMcpServer(tx: Tx, workspaceId: string, userId: string, input: McpServerInput): McpServerRow {
  const id = tx.newId();
  const columns = checked({ name: input.name ?? "", config: input.config ?? {} });
  uniqueName(String(columns["name"]), () =>
    insert(tx.db, "mcp_server", { id, workspace_id: workspaceId, ...columns, created_by: userId, created_at: tx.now, updated_at: tx.now }),
  );
  return loadMcpServer(tx.db, workspaceId, id);
}

/** Partial update; agents that have it get the change with their next run. */
export function updateMcpServer(tx: Tx, server: McpServerRow, input: McpServerInput): McpServerRow {
  uniqueName(input.name ?? server.name, () => update(tx.db, "mcp_server", server.id, { ...checked(input), updated_at: tx.now }));
  return loadMcpServer(tx.db, server.workspace_id, server.id);
}

/** Takes it from the workspace and from every agent. */
export function deleteMcpServer(tx: Tx, server: McpServerRow): void {
  run(tx.db, "DELETE FROM mcp_server WHERE id = :id", { id: server.id });
}

function checked(input: McpServerInput): Record<string, string> {
  const columns: Record<string, string> = {};
  if (input.name !== undefined) {
    columns["name"] = input.name.trim();
    if (columns["name"] === "") throw badRequest("name is required");
    if (!NAME.test(columns["name"])) throw badRequest("name must be 1 to 64 letters, digits, hyphens and underscores, beginning with a letter or digit");
  }
  if (input.config !== undefined) {
    if (![input.config["command"], input.config["url"]].some((value) => typeof value === "string" && value.trim() !== "")) {
      throw badRequest("config must have a command or a url");
    }
    columns["config"] = JSON.stringify(input.config);
  }
  return columns;
}

function uniqueName(name: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, `an MCP server named "${name.trim()}" already exists in this workspace`, { cause: error });
    throw error;
  }
}
