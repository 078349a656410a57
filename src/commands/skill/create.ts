import { ApiCommand } from "../../cli/api-command.ts";
import { exactFlags, exactText } from "../../cli/exact-text.ts";
import { notBlank } from "../../cli/families.ts";
import { outputFlag, requiredTextFlag, textFlag } from "../../cli/flags.ts";
import { jsonFlagValue } from "../../cli/json-value.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create a skill";
  static override readonly examples = ["multica skill create --name deploy --description 'How we deploy' --content-file SKILL.md"];
  static override readonly flags = {
    name: requiredTextFlag("name", { helpValue: "<name>" }),
    description: textFlag("when to use it", { helpValue: "<text>" }),
    ...exactFlags,
    config: textFlag("settings, as JSON", { helpValue: "<json>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SkillCreate);
    const content = await exactText(flags, this.cwd);
    const body = {
      name: notBlank("--name", flags.name),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(content === undefined ? {} : { content }),
      ...(flags.config === undefined ? {} : { config: jsonFlagValue("--config", flags.config) }),
    };
    const session = this.session(flags);
    session.workspaceId();
    const skill = await createSkillApi(session.http).create(body);
    await this.emit(flags, skill, () => `${skill.name}  ${skill.id}\n`);
  }
}
