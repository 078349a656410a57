import { asString, isObject } from "../core/index.ts";
import type { McpServerInfo, McpServerInput } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

/**
 * MCP servers of a workspace and of its agents (server-api.md 13.2, 13.9.1). Of what the server answers only four fields
 * are handed on: addresses, headers and environments must not get onto a screen or into a log (cli.md 5.7).
 */
export function createMcpApi(http: Http) {
  const call = typedCall(http);
  const path = (...parts: string[]): string => ["/api", ...parts.map(encodeURIComponent)].join("/");
  const list = async (at: string): Promise<McpServerInfo[]> => listIn<unknown>(await call("GET", at), "mcp_servers").map(shown);
  const ofWorkspace = (id: string, ...rest: string[]): string => path("workspaces", id, "mcp-servers", ...rest);
  const ofAgent = (id: string, ...rest: string[]): string => path("agents", id, "mcp-servers", ...rest);
  return {
    list: (workspace: string) => list(ofWorkspace(workspace)),
    add: async (workspace: string, body: McpServerInput) => shown(await call("POST", ofWorkspace(workspace), { body })),
    update: async (workspace: string, id: string, body: McpServerInput) => shown(await call("PUT", ofWorkspace(workspace, id), { body })),
    remove: (workspace: string, id: string) => call<null>("DELETE", ofWorkspace(workspace, id)),
    agentList: (agent: string) => list(ofAgent(agent)),
    attach: async (agent: string, id: string) => shown(await call("POST", ofAgent(agent), { body: { server_id: id } })),
    setEnabled: async (agent: string, id: string, enabled: boolean) => shown(await call("PUT", ofAgent(agent, id, "enabled"), { body: { enabled } })),
    detach: (agent: string, id: string) => call<null>("DELETE", ofAgent(agent, id)),
  };
}

function shown(answer: unknown): McpServerInfo {
  const server = isObject(answer) ? answer : {};
  return { id: asString(server["id"]), name: asString(server["name"]), transport: asString(server["transport"]), enabled: server["enabled"] !== false };
}
