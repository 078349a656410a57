import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { createSquadApi } from "../../lib/api/user-api-squad.ts";

export default class SquadList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's squads";
  static override readonly examples = ["multica squad list --output json"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(SquadList);
    const session = this.session(flags);
    session.workspaceId();
    const squads = await createSquadApi(session.http).list();
    await this.emit(flags, squads, async () => (await import("../../views/squads.ts")).squadTable(squads));
  }
}
