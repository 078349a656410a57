import { ApiCommand } from "../../../cli/api-command.ts";
import { argument, outputFlag } from "../../../cli/flags.ts";
import { createIssueExtrasApi } from "../../../lib/api/user-api-issue.ts";

export default class IssueCommentResolve extends ApiCommand {
  static override readonly access = "api";
  static override readonly hiddenAliases = ["comment:resolve"];
  static override readonly summary = "Mark a thread as settled; lists then fold it";
  static override readonly examples = ["multica issue comment resolve 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { comment: argument("comment UUID") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCommentResolve);
    const session = this.session(flags);
    const comment = await createIssueExtrasApi(session.http).resolveComment(args.comment, true);
    await this.emit(flags, comment, () => "");
    this.note(`Resolved comment ${args.comment}.`);
  }
}
