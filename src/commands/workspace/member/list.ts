import { ApiCommand } from "../../../cli/api-command.ts";
import { outputFlag } from "../../../cli/flags.ts";
import { workspaceArgument, workspaceIdOf } from "../../../cli/workspace-fields.ts";

export default class WorkspaceMemberList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the people of a workspace";
  static override readonly examples = ["multica workspace member list --output json"];
  static override readonly args = { workspace: workspaceArgument };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMemberList);
    const session = this.session(flags);
    const id = await workspaceIdOf(session, args.workspace);
    const members = (await session.api.members(id)) ?? [];
    await this.emit(flags, members, async () => (await import("../../../views/squads.ts")).memberTable(members));
  }
}
