import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class AgentMcpList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the MCP servers of the workspace that an agent was given";
  static override readonly examples = ["multica agent mcp list 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentMcpList);
    const servers = await createMcpApi(this.session(flags).http).agentList(args.agent);
    await this.emit(flags, servers, async () => (await import("../../../views/mcp.ts")).mcpTable(servers));
  }
}
