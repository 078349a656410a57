import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { memberKey, memberKeyFlags } from "../../../cli/squad-member.ts";
import { createSquadApi } from "../../../lib/api/user-api-squad.ts";

export default class SquadMemberRemove extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Take an agent or a person out of a squad";
  static override readonly examples = ["multica squad member remove 0190d3c2-8d2a-7000-8000-000000000000 --member-id 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = { ...memberKeyFlags, output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadMemberRemove);
    const key = memberKey(flags);
    await createSquadApi(this.session(flags).http).removeMember(args.squad, key);
    await this.emit(flags, { squad_id: args.squad, member_id: key.member_id, removed: true }, () => `Took ${key.member_id} out of squad ${args.squad}.\n`);
  }
}
