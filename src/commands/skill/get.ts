import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a skill with its files";
  static override readonly examples = ["multica skill get 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillGet);
    const skill = await createSkillApi(this.session(flags).http).get(args.skill);
    await this.emit(flags, skill, async () => (await import("../../views/skills.ts")).skillTable([skill]));
  }
}
