import { ApiCommand } from "../../../cli/api-command.ts";
import { csvValues } from "../../../cli/csv.ts";
import { argument, listFlag, outputFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { createAgentExtrasApi } from "../../../lib/api/user-api-skill.ts";

export default class AgentSkillsSet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give an agent exactly these skills; an empty list takes all";
  static override readonly examples = ["multica agent skills set 0190d3c2-8d2a-7000-8000-000000000000 --skill-ids 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { agent: argument("agent UUID") };
  static override readonly flags = { "skill-ids": listFlag("skill UUIDs; repeatable, or separated by commas", "<uuid>"), output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentSkillsSet);
    const ids = csvValues("skill-ids", flags["skill-ids"]);
    if (flags["skill-ids"] === undefined) throw usage("--skill-ids is missing", "An empty value takes all skills.");
    const skills = await createAgentExtrasApi(this.session(flags).http).setSkills(args.agent, ids);
    await this.emit(flags, skills, async () => (await import("../../../views/skills.ts")).agentSkillTable(skills));
  }
}
