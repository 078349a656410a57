import { ApiCommand } from "../../../cli/api-command.ts";
import { csvValues } from "../../../cli/csv.ts";
import { argument, listFlag, outputFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { createAgentExtrasApi } from "../../../lib/api/user-api-skill.ts";

export default class AgentSkillsAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an agent more skills";
  static override readonly examples = ["multica agent skills add 0190d3c2-8d2a-7000-8000-000000000000 --skill-ids 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { "skill-ids": listFlag("skill UUIDs; repeatable, or separated by commas", "<uuid>"), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentSkillsAdd);
    const ids = csvValues("skill-ids", flags["skill-ids"]);
    if (ids.length === 0) throw usage("--skill-ids names no skill");
    const skills = await createAgentExtrasApi(this.session(flags).http).addSkills(args.agent, ids);
    await this.emit(flags, skills, async () => (await import("../../../views/skills.ts")).agentSkillTable(skills));
  }
}
