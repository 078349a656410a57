import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { workspaceArgument, workspaceIdOf } from "../../../cli/workspace-fields.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class WorkspaceMcpRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take an MCP server from the workspace and from its agents";
  static override readonly examples = ["multica workspace mcp remove 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { server: argument("MCP server UUID"), workspace: workspaceArgument };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMcpRemove);
    const session = this.session(flags);
    await createMcpApi(session.http).remove(await workspaceIdOf(session, args.workspace), args.server);
    await this.emit(flags, { id: args.server, deleted: true }, () => "");
    this.note(`Removed MCP server ${args.server}.`);
  }
}
