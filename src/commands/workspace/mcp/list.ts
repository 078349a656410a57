import { ApiCommand } from "../../../cli/api-command.ts";
import { outputFlag } from "../../../cli/flags.ts";
import { workspaceArgument, workspaceIdOf } from "../../../cli/workspace-fields.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class WorkspaceMcpList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the MCP servers that agents of the workspace may be given";
  static override readonly examples = ["multica workspace mcp list"];
  static override readonly args = { workspace: workspaceArgument };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMcpList);
    const session = this.session(flags);
    const servers = await createMcpApi(session.http).list(await workspaceIdOf(session, args.workspace));
    await this.emit(flags, servers, async () => (await import("../../../views/mcp.ts")).mcpTable(servers));
  }
}
