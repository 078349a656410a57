import { ApiCommand } from "../../cli/api-command.ts";
import { confirmOrYes } from "../../cli/confirm-yes.ts";
import { argument, switchFlag } from "../../cli/flags.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a skill; agents lose it";
  static override readonly examples = ["multica skill delete 0190d3c2-8d2a-7000-8000-000000000000 --yes"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = { yes: switchFlag("do not ask") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillDelete);
    if (!(await confirmOrYes(`Delete skill ${args.skill}?`, flags.yes))) return this.note("Nothing was deleted.");
    await createSkillApi(this.session(flags).http).remove(args.skill);
    await this.emit(flags, { id: args.skill, deleted: true }, () => "");
    this.note(`Deleted skill ${args.skill}.`);
  }
}
