import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class IssueUsage extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show the tokens that all runs of an issue have used";
  static override readonly examples = ["multica issue usage MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueUsage);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const used = await createIssueExtrasApi(session.http).usage(id);
    await this.emit(flags, used, async () => (await import("../../views/issue-extras.ts")).usageTable(used));
  }
}
