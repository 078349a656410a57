import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createSquadApi } from "../../lib/api/user-api-squad.ts";

export default class SquadDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Archive a squad";
  static override readonly examples = ["multica squad delete 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadDelete);
    await createSquadApi(this.session(flags).http).remove(args.squad);
    await this.emit(flags, { id: args.squad, deleted: true }, () => `Archived squad ${args.squad}.\n`);
  }
}
