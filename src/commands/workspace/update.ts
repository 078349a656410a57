import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import { workspaceArgument, workspaceFieldFlags, workspaceFields, workspaceIdOf } from "../../cli/workspace-fields.ts";

export default class WorkspaceUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of a workspace; only the given ones are sent, an empty text clears";
  static override readonly examples = ["multica workspace update --context-stdin < context.md", "multica workspace update acme --issue-prefix ACM"];
  static override readonly args = { workspace: workspaceArgument };
  static override readonly flags = { name: textFlag("name that people see", { helpValue: "<name>" }), ...workspaceFieldFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceUpdate);
    const body = { ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }), ...(await workspaceFields(flags)) };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const session = this.session(flags);
    const workspace = await session.api.updateWorkspace(await workspaceIdOf(session, args.workspace), body);
    await this.emit(flags, workspace, async () => (await import("../../views/workspaces.ts")).workspaceDetails(workspace));
  }
}
