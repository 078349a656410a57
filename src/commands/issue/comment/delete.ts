import { ApiCommand } from "../../../cli/api-command.ts";
import { argument } from "../../../cli/flags.ts";

export default class IssueCommentDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly hiddenAliases = ["comment:delete"];
  static override readonly summary = "Delete a comment";
  static override readonly examples = ["multica issue comment delete 0190d3c2-8d2a-7000-8000-000000000000"];
  static override readonly args = { comment: argument("comment UUID") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCommentDelete);
    await this.session(flags).api.deleteComment(args.comment);
    await this.emit(flags, { id: args.comment, deleted: true }, () => "");
    this.note(`Deleted comment ${args.comment}.`);
  }
}
