import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { checkStatus } from "../../cli/issue-fields.ts";
import { checkIssueRef, resolveIssue } from "../../cli/resolve.ts";

export default class IssueStatus extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Set the status of an issue; prints nothing on stdout but with --output json";
  static override readonly examples = ["multica issue status MUL-12 in_review"];
  static override readonly args = { issue: argument("issue key or UUID"), status: argument("new status, such as in_review") };
  static override readonly flags = {
    "no-start": switchFlag("do not start a run (older servers start one anyway)"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueStatus);
    const status = checkStatus(args.status);
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const issue = await session.api.updateIssue(id, { status, ...(flags["no-start"] ? { suppress_run: true } : {}) });
    await this.emit(flags, issue, () => "");
    this.note(`${key} is now ${issue.status}.`);
  }
}
