import { ApiCommand } from "../../../cli/api-command.ts";
import { argument } from "../../../cli/flags.ts";
import { createSkillApi } from "../../../lib/api/user-api-skill.ts";

export default class SkillFilesDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a file of a skill";
  static override readonly examples = ["multica skill files delete 0190d3c2-8d2a-7000-8000-000000000000 0190d3c2-8d2a-7000-8000-000000000001"];
  static override readonly args = { skill: argument("skill UUID"), file: argument("file UUID") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillFilesDelete);
    await createSkillApi(this.session(flags).http).removeFile(args.skill, args.file);
    await this.emit(flags, { id: args.file, deleted: true }, () => "");
    this.note(`Deleted file ${args.file}.`);
  }
}
