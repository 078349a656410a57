import { ApiCommand } from "../../cli/api-command.ts";
import { exactFlags, exactText } from "../../cli/exact-text.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { jsonFlagValue } from "../../cli/json-value.ts";
import { usage } from "../../cli/resolve.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change fields of a skill; only the given ones are sent";
  static override readonly examples = ["multica skill update 0190d3c2-8d2a-7000-8000-000000000000 --content-file SKILL.md"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = {
    name: textFlag("name", { helpValue: "<name>" }),
    description: textFlag("when to use it", { helpValue: "<text>" }),
    ...exactFlags,
    config: textFlag("settings, as JSON", { helpValue: "<json>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillUpdate);
    const content = await exactText(flags, this.cwd);
    const body = {
      ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(content === undefined ? {} : { content }),
      ...(flags.config === undefined ? {} : { config: jsonFlagValue("--config", flags.config) }),
    };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const skill = await createSkillApi(this.session(flags).http).update(args.skill, body);
    await this.emit(flags, skill, () => `${skill.name}  ${skill.id}\n`);
  }
}
