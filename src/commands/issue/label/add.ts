import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../../cli/flags.ts";
import { checkIssueRef, resolveIssue } from "../../../cli/resolve.ts";
import { resolveLabel } from "../../../cli/resolve-objects.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueLabelAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Put a label on an issue";
  static override readonly examples = ["multica issue label add MUL-12 3f2a"];
  static override readonly args = { issue: argument("issue key or UUID"), label: argument("label UUID or its first digits") };
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueLabelAdd);
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const labels = await createIssueExtrasApi(session.http).addLabel(id, await resolveLabel(session, args.label));
    await this.emit(flags, labels, async () => (await import("../../../views/issue-extras.ts")).labelTable(labels, flags["full-id"]));
  }
}
