import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { workspaceArgument, workspaceIdOf } from "../../cli/workspace-fields.ts";

export default class WorkspaceGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a workspace";
  static override readonly examples = ["multica workspace get", "multica workspace get acme --output table"];
  static override readonly args = { workspace: workspaceArgument };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceGet);
    const session = this.session(flags);
    const id = await workspaceIdOf(session, args.workspace);
    const workspace = await session.api.workspace(id);
    await this.emit(flags, workspace, async () => (await import("../../views/workspaces.ts")).workspaceDetails(workspace));
  }
}
