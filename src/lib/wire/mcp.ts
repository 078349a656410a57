import { z } from "zod";

/** `POST` and `PUT …/workspaces/{id}/mcp-servers`: the name its tools bear, and how the server is started or reached (server-api.md 13.2). */
export const mcpServerInputSchema = z.looseObject({
  name: z.string().optional(),
  config: z.record(z.string(), z.unknown()).optional(),
});
export type McpServerInput = z.infer<typeof mcpServerInputSchema>;

/** `POST …/agents/{id}/mcp-servers` and `PUT …/{serverId}/enabled` (server-api.md 13.9.1). */
export const mcpAttachSchema = z.looseObject({ server_id: z.string() });
export const mcpEnabledSchema = z.looseObject({ enabled: z.boolean() });

/** An MCP server as anybody may see it: never with its command, address, headers or environment (cli.md 5.7). */
export interface McpServerInfo {
  readonly id: string;
  readonly name: string;
  readonly transport: string;
  readonly enabled: boolean;
}
