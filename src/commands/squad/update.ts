import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { resolveAgent } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createSquadApi } from "../../lib/api/user-api-squad.ts";

export default class SquadUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of a squad; only the given ones are sent";
  static override readonly examples = ['multica squad update 0190d3c2-8d2a-7000-8000-000000000000 --instructions "Reviews go to Rae."'];
  static override readonly args = { squad: argument("squad UUID") };
  static override readonly flags = {
    name: textFlag("name", { helpValue: "<name>" }),
    description: textFlag("what the squad is for", { helpValue: "<text>" }),
    instructions: textFlag("what its leader is told", { helpValue: "<text>" }),
    leader: textFlag("the leading agent, by UUID or name", { helpValue: "<agent>" }),
    "avatar-url": textFlag("address of its picture", { helpValue: "<url>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SquadUpdate);
    const fields = {
      ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(flags.instructions === undefined ? {} : { instructions: flags.instructions }),
      ...(flags["avatar-url"] === undefined ? {} : { avatar_url: flags["avatar-url"] }),
    };
    const leader = flags.leader === undefined ? undefined : notBlank("--leader", flags.leader);
    if (Object.keys(fields).length === 0 && leader === undefined) throw usage("nothing to change");
    const session = this.session(flags);
    const body = { ...fields, ...(leader === undefined ? {} : { leader_id: await resolveAgent(session, leader) }) };
    const squad = await createSquadApi(session.http).update(args.squad, body);
    await this.emit(flags, squad, async () => (await import("../../views/squads.ts")).squadDetails(squad));
  }
}
