import { ApiCommand } from "../../cli/api-command.ts";
import { argument, countFlag, outputFlag, switchFlag } from "../../cli/flags.ts";
import { notBlank } from "../../cli/families.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class IssueSearch extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Find issues by a text in their title, description or comments";
  static override readonly examples = ['multica issue search "login page"', "multica issue search timeout --include-closed --output json"];
  static override readonly args = { query: argument("text to look for") };
  static override readonly flags = {
    limit: countFlag("how many at most", { min: 1, default: 20 }),
    "include-closed": switchFlag("also done and cancelled ones"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueSearch);
    const q = notBlank("the query", args.query);
    const session = this.session(flags);
    session.workspaceId();
    const query = { q, limit: flags.limit, ...(flags["include-closed"] ? { include_closed: true } : {}) };
    const hits = await createIssueExtrasApi(session.http).search(query);
    await this.emit(flags, hits, async () => (await import("../../views/issue-extras.ts")).searchTable(hits));
  }
}
