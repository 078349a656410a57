import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, textFlag } from "../../../cli/flags.ts";
import { serverConfig, serverConfigFlags } from "../../../cli/mcp-fields.ts";
import { usage } from "../../../cli/resolve.ts";
import { workspaceArgument, workspaceIdOf } from "../../../cli/workspace-fields.ts";
import { createMcpApi } from "../../../lib/api/user-api-mcp.ts";

export default class WorkspaceMcpUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change an MCP server of the workspace; runs get it as it is when they start";
  static override readonly examples = ["multica workspace mcp update 0190d3c2-8d2a-7000-8000-000000000000 --server-config-stdin < docs.json"];
  static override readonly args = { server: argument("MCP server UUID"), workspace: workspaceArgument };
  static override readonly flags = { name: textFlag("name that its tools bear", { helpValue: "<name>" }), ...serverConfigFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMcpUpdate);
    const config = await serverConfig(flags, this.cwd);
    const body = { ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }), ...(config === undefined ? {} : { config }) };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const session = this.session(flags);
    const server = await createMcpApi(session.http).update(await workspaceIdOf(session, args.workspace), args.server, body);
    await this.emit(flags, server, async () => (await import("../../../views/mcp.ts")).mcpTable([server]));
  }
}
