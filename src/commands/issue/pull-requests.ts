import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class IssuePullRequests extends ApiCommand {
  static override readonly access = "api";
  static override readonly aliases = ["issue:prs"];
  static override readonly summary = "List the pull requests that belong to an issue";
  static override readonly examples = ["multica issue pull-requests MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssuePullRequests);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const requests = await createIssueExtrasApi(session.http).pullRequests(id);
    await this.emit(flags, requests, async () => (await import("../../views/issue-extras.ts")).pullRequestTable(requests));
  }
}
