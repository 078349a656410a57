import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createSkillApi } from "../../../lib/api/user-api-skill.ts";

export default class SkillFilesList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the files of a skill";
  static override readonly examples = ["multica skill files list 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillFilesList);
    const files = await createSkillApi(this.session(flags).http).files(args.skill);
    await this.emit(flags, files, async () => (await import("../../../views/skills.ts")).skillFileTable(files));
  }
}
