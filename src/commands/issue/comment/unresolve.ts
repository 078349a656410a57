import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueCommentUnresolve extends ApiCommand {
  static override readonly access = "api";
  static override readonly hiddenAliases = ["comment:unresolve"];
  static override readonly summary = "Open a settled thread again";
  static override readonly examples = ["multica issue comment unresolve 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { comment: argument("comment UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCommentUnresolve);
    const session = this.session(flags);
    const comment = await createIssueExtrasApi(session.http).resolveComment(args.comment, false);
    await this.emit(flags, comment, () => "");
    this.note(`Opened comment ${args.comment}.`);
  }
}
