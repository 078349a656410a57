import { ApiCommand } from "../../../cli/api-command.ts";
import { optionalArgument, outputFlag } from "../../../cli/flags.ts";
import { resolveWorkspace } from "../../../cli/resolve.ts";
import { isUuid } from "../../../lib/core/index.ts";

export default class WorkspaceMemberList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the people of a workspace";
  static override readonly examples = ["multica workspace member list --output json"];
  static override readonly args = { workspace: optionalArgument("id, slug or prefix; the current one unless given") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceMemberList);
    const session = this.session(flags);
    const ref = args.workspace ?? session.workspaceId();
    const id = isUuid(ref) ? ref : (await resolveWorkspace(session, ref)).id;
    const members = (await session.api.members(id)) ?? [];
    await this.emit(flags, members, async () => (await import("../../../views/squads.ts")).memberTable(members));
  }
}
