import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueLabelList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the labels of an issue";
  static override readonly examples = ["multica issue label list MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueLabelList);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const labels = await createIssueExtrasApi(session.http).labels(id);
    await this.emit(flags, labels, async () => (await import("../../../views/issue-extras.ts")).labelTable(labels, flags["full-id"]));
  }
}
