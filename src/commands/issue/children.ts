import { ApiCommand } from "../../cli/api-command.ts";
import { groupByStage, sortByStage } from "../../cli/children.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { resolveIssue } from "../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../lib/api/user-api-issue.ts";

export default class IssueChildren extends ApiCommand {
  static override readonly access = "api";
  static override readonly aliases = ["issue:subissues"];
  static override readonly summary = "List the sub-issues of an issue, stage by stage";
  static override readonly examples = ["multica issue children MUL-12", "multica issue children MUL-12 --output json"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { "full-id": switchFlag("accepted for the sake of scripts; keys are whole anyway"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueChildren);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const issues = sortByStage(await createIssueExtrasApi(session.http).children(id));
    await this.emit(flags, groupByStage(issues), async () => {
      const { displayNames } = await import("../../cli/names.ts");
      const { childrenTable } = await import("../../views/issue-extras.ts");
      return childrenTable(issues, await displayNames(session));
    });
  }
}
