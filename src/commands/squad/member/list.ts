import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createSquadApi } from "../../../lib/api/user-api-squad.ts";

export default class SquadMemberList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the members of a squad";
  static override readonly examples = ["multica squad member list 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadMemberList);
    const members = await createSquadApi(this.session(flags).http).members(args.squad);
    await this.emit(flags, members, async () => (await import("../../../views/squads.ts")).squadMemberTable(members));
  }
}
