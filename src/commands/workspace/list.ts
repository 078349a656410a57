import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";

export default class WorkspaceList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List your workspaces; * marks the current one";
  static override readonly examples = ["multica workspace list"];
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(WorkspaceList);
    const session = this.session(flags);
    const all = (await session.api.workspaces()) ?? [];
    const current = session.context.workspaceId;
    const rows = all.map(({ id, name, slug }) => ({ id, name, slug }));
    await this.emit(flags, rows, async () => {
      const { workspaceTable } = await import("../../views/workspaces.ts");
      return workspaceTable(rows, current, flags["full-id"]);
    });
    const known = all.some((entry) => entry.id === current);
    this.note(known ? "* is the current workspace." : "No current workspace; multica workspace switch <id, slug or prefix> chooses one.");
  }
}
