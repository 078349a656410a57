import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, textFlag } from "../../../cli/flags.ts";
import { memberKey, memberKeyFlags } from "../../../cli/squad-member.ts";
import { createSquadApi } from "../../../lib/api/user-api-squad.ts";

export default class SquadMemberAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Put an agent or a person into a squad";
  static override readonly examples = ["multica squad member add 0190d3c2-8d2a-7000-8000-000000000000 --member-id 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = { ...memberKeyFlags, role: textFlag("what it does there; member unless given", { helpValue: "<role>" }), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadMemberAdd);
    const body = { ...memberKey(flags), role: flags.role ?? "member" };
    const member = await createSquadApi(this.session(flags).http).addMember(args.squad, body);
    await this.emit(flags, member, async () => (await import("../../../views/squads.ts")).squadMemberTable([member]));
  }
}
