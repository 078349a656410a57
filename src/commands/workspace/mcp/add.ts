import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { serverConfig, serverConfigFlags } from "../../../cli/mcp-fields.ts";
import { usage } from "../../../cli/resolve.ts";
import { workspaceArgument, workspaceIdOf } from "../../../cli/workspace-fields.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class WorkspaceMcpAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Add an MCP server to the workspace; agents get it with multica agent mcp add";
  static override readonly examples = ["multica workspace mcp add docs --server-config-file docs.json", "multica workspace mcp add time --server-config '{\"command\":\"mcp-time\"}'"];
  static override readonly args = { name: argument("name that its tools bear: letters, digits, - and _"), workspace: workspaceArgument };
  static override readonly flags = { ...serverConfigFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMcpAdd);
    const name = notBlank("<name>", args.name);
    const config = await serverConfig(flags, this.cwd);
    if (config === undefined) throw usage("give the configuration with --server-config, --server-config-stdin or --server-config-file");
    const session = this.session(flags);
    const server = await createMcpApi(session.http).add(await workspaceIdOf(session, args.workspace), { name, config });
    await this.emit(flags, server, async () => (await import("../../../views/mcp.ts")).mcpTable([server]));
  }
}
