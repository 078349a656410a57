import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { searchSkills } from "../../cli/skill-search.ts";

export default class SkillSearch extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Search the server's catalogue for skills to import";
  static override readonly examples = ['multica skill search "release notes"'];
  static override readonly args = { query: argument("words to look for") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillSearch);
    const query = notBlank("the query", args.query);
    const session = this.session(flags);
    session.workspaceId();
    const found = await searchSkills(session, query);
    await this.emit(flags, found, async () => (await import("../../views/skills.ts")).catalogueTable(found));
  }
}
