import { BaseCommand } from "../../cli/base-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";

export default class IssueGet extends BaseCommand {
  static override readonly access = "api";
  static override readonly summary = "Show one issue";
  static override readonly examples = ["multica issue get MUL-12", "multica issue get MUL-12 --output table"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueGet);
    const { checkIssueRef } = await import("../../cli/resolve.ts");
    const { openSession } = await import("../../cli/session.ts");
    const ref = checkIssueRef(args.issue);
    const issue = await openSession(this.context(flags)).api.issue(ref);
    await this.emit(flags, issue, async () => (await import("../../views/issues.ts")).issueDetails(issue));
  }
}
