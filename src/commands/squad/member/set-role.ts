import { ApiCommand } from "../../../cli/api-command.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { memberKey, memberKeyFlags } from "../../../cli/squad-member.ts";
import { createSquadApi } from "../../../lib/api/user-api-squad.ts";

export default class SquadMemberSetRole extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change what a member of a squad does there";
  static override readonly examples = [
    "multica squad member set-role 0190d3c2-8d2a-7000-8000-000000000000 --member-id 0190d3c2-8d2a-7000-8000-000000000001 --member-type agent --role reviewer",
  ];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = { ...memberKeyFlags, role: requiredTextFlag("what it does there", { helpValue: "<role>" }), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadMemberSetRole);
    if (flags.type === undefined && flags["member-type"] === undefined) throw usage("--member-type is missing", "It is agent or member.");
    const body = { ...memberKey(flags), role: notBlank("--role", flags.role) };
    const member = await createSquadApi(this.session(flags).http).setRole(args.squad, body);
    await this.emit(flags, member, async () => (await import("../../../views/squads.ts")).squadMemberTable([member]));
  }
}
