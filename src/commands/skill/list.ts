import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's skills";
  static override readonly examples = ["multica skill list --output json"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(SkillList);
    const session = this.session(flags);
    session.workspaceId();
    const skills = await createSkillApi(session.http).list();
    await this.emit(flags, skills, async () => (await import("../../views/skills.ts")).skillTable(skills));
  }
}
