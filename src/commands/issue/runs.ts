import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";

export default class IssueRuns extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the runs of an issue, newest first";
  static override readonly examples = ["multica issue runs MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueRuns);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const runs = (await session.api.taskRuns(id)) ?? [];
    await this.emit(flags, runs, async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { runTable } = await import("../../views/issues.ts");
      return runTable(runs, flags["full-id"], await displayNames(session));
    });
  }
}
