import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { newerServer } from "../../cli/newer-server.ts";
import { importTimeout } from "../../cli/skill-import.ts";
import { createSkillApi } from "../../lib/api/user-api-skill.ts";

export default class SkillRefresh extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Import a skill again from the address it came from; its name stays";
  static override readonly examples = ["multica skill refresh 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { skill: argument("skill UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillRefresh);
    const session = this.session(flags);
    const skill = await newerServer("refreshing of skills", createSkillApi(session.http).refresh(args.skill, importTimeout(session)));
    await this.emit(flags, skill, () => `${skill.name}  ${skill.id}\n`);
  }
}
