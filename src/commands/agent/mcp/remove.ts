import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class AgentMcpRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take an MCP server of the workspace from an agent";
  static override readonly examples = ["multica agent mcp remove 0190d3c2-8d2a-7000-8000-000000000000 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { agent: argument("agent UUID"), server: argument("MCP server UUID (multica workspace mcp list)") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentMcpRemove);
    await createMcpApi(this.session(flags).http).detach(args.agent, args.server);
    await this.emit(flags, { agent_id: args.agent, id: args.server, removed: true }, () => "");
    this.note(`Removed MCP server ${args.server} from agent ${args.agent}.`);
  }
}
