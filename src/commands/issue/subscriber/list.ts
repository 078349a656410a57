import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueSubscriberList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List who is told about an issue";
  static override readonly examples = ["multica issue subscriber list MUL-12"];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueSubscriberList);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const subscribers = await createIssueExtrasApi(session.http).subscribers(id);
    await this.emit(flags, subscribers, async () => {
      const { displayNames } = await import("../../../cli/names.ts");
      const { subscriberTable } = await import("../../../views/issue-extras.ts");
      return subscriberTable(subscribers, await displayNames(session));
    });
  }
}
