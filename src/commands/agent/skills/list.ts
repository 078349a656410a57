import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createAgentExtrasApi } from "../../../lib/api/user-api-skill.ts";

export default class AgentSkillsList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the skills of an agent";
  static override readonly examples = ["multica agent skills list 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentSkillsList);
    const skills = await createAgentExtrasApi(this.session(flags).http).skills(args.agent);
    await this.emit(flags, skills, async () => (await import("../../../views/skills.ts")).agentSkillTable(skills));
  }
}
