import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { checkIssueRef } from "../../cli/resolve.ts";

export default class IssueGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show one issue";
  static override readonly examples = ["multica issue get MUL-12", "multica issue get MUL-12 --output table"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueGet);
    const ref = checkIssueRef(args.issue);
    const session = this.session(flags);
    const issue = await session.api.issue(ref);
    await this.emit(flags, issue, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { issueDetails } = await import("../../views/issues.ts");
      return issueDetails(issue, issue.assignee_id ? await displayNames(session) : undefined);
    });
  }
}
