import { ApiCommand } from "../../../cli/api-command.ts";
import { exactFlags, exactText } from "../../../cli/exact-text.ts";
import { notBlank } from "../../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag } from "../../../cli/flags.ts";
import { usage } from "../../../cli/resolve.ts";
import { createSkillApi } from "../../../lib/api/user-api-skill.ts";

export default class SkillFilesUpsert extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Write a file of a skill";
  static override readonly examples = ["multica skill files upsert 0190d3c2-8d2a-7000-8000-000000000000 --path scripts/run.sh --content-file run.sh"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = { path: requiredTextFlag("path within the skill", { helpValue: "<path>" }), ...exactFlags, output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillFilesUpsert);
    const path = notBlank("--path", flags.path);
    const content = await exactText(flags, this.cwd);
    if (content === undefined) throw usage("give the text with --content, --content-file or --content-stdin");
    const file = await createSkillApi(this.session(flags).http).putFile(args.skill, { path, content });
    await this.emit(flags, file, () => `${file.path}  ${file.id}\n`);
  }
}
