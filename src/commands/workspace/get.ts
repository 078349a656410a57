import { ApiCommand } from "../../cli/api-command.ts";
import { optionalArgument, outputFlag } from "../../cli/flags.ts";
import { resolveWorkspace } from "../../cli/resolve.ts";
import { isUuid } from "../../lib/core/index.ts";

export default class WorkspaceGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a workspace";
  static override readonly examples = ["multica workspace get", "multica workspace get acme --output table"];
  static override readonly args = { workspace: optionalArgument("id, slug or prefix; the current one unless given") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceGet);
    const session = this.session(flags);
    const ref = args.workspace ?? session.workspaceId();
    const id = isUuid(ref) ? ref : (await resolveWorkspace(session, ref)).id;
    const workspace = await session.api.workspace(id);
    await this.emit(flags, workspace, async () => (await import("../../views/workspaces.ts")).workspaceDetails(workspace));
  }
}
