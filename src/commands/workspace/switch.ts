import { ApiCommand } from "../../cli/api-command.ts";
import { argument } from "../../cli/flags.ts";
import { resolveWorkspace } from "../../cli/resolve.ts";

export default class WorkspaceSwitch extends ApiCommand {
  static override readonly access = "human";
  static override readonly summary = "Choose the workspace that commands of this profile work in";
  static override readonly examples = ["multica workspace switch acme"];
  static override readonly args = { workspace: argument("id, slug or prefix") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(WorkspaceSwitch);
    const session = this.session(flags);
    const { id, name, slug } = await resolveWorkspace(session, args.workspace);
    const { openSettingsStore } = await import("../../lib/config/index.ts");
    const store = await openSettingsStore(session.context.stateDir);
    await store.set({ workspace_id: id });
    await this.emit(flags, { id, name, slug }, () => `${name}  ${id}\n`);
  }
}
