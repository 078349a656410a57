import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag, textFlag } from "../../cli/flags.ts";
import { resolveAgent } from "../../cli/resolve-objects.ts";
import { createSquadApi } from "../../lib/api/user-api-squad.ts";

export default class SquadCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a squad: a leader who hands work to its members";
  static override readonly examples = ["multica squad create --name Web --leader Lea"];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    leader: requiredTextFlag("the leading agent, by UUID or name", { helpValue: "<agent>" }),
    description: textFlag("what the squad is for", { helpValue: "<text>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SquadCreate);
    const name = notBlank("--name", flags.name);
    const leader = notBlank("--leader", flags.leader);
    const session = this.session(flags);
    session.workspaceId();
    const body = { name, leader_id: await resolveAgent(session, leader), ...(flags.description === undefined ? {} : { description: flags.description }) };
    const squad = await createSquadApi(session.http).create(body);
    await this.emit(flags, squad, async () => (await import("../../views/squads.ts")).squadDetails(squad));
  }
}
