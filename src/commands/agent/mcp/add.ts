import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class AgentMcpAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an agent an MCP server of the workspace; with its first one the machine's own servers count no more";
  static override readonly examples = ["multica agent mcp add 0190d3c2-8d2a-7000-8000-000000000000 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { agent: argument("agent UUID"), server: argument("MCP server UUID (multica workspace mcp list)") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentMcpAdd);
    const server = await createMcpApi(this.session(flags).http).attach(args.agent, args.server);
    await this.emit(flags, server, async () => (await import("../../../views/mcp.ts")).mcpTable([server]));
  }
}
