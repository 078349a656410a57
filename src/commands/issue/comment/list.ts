import { ApiCommand } from "../../../cli/api-command.ts";
import { checkCommentQuery, commentQuery, compactComments, cursorLine } from "../../../cli/comment-query.ts";
import { argument, countFlag, outputFlag, switchFlag, textFlag } from "../../../cli/flags.ts";
import { resolveIssue } from "../../../cli/resolve.ts";
import type { Comment } from "../../../lib/wire/issues.ts";

export default class IssueCommentList extends ApiCommand {
  static override readonly access = "api";
  static override readonly hiddenAliases = ["comment:list"];
  static override readonly summary = "List the comments of an issue, oldest first";
  static override readonly description =
    "Without flags: the whole timeline. --recent N bounds threads, not comments, so it may return everything. " +
    "Resolved threads are folded to their root and conclusion; folded_count tells how many are missing. " +
    "Two bounded reads do for long issues: --roots-only --summary, then --thread <id> --tail N.";
  static override readonly examples = [
    "multica issue comment list MUL-12 --output json",
    "multica issue comment list MUL-12 --thread 0190d3c2-8d2a-7000-8000-000000000000 --tail 20 --output json",
  ];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    thread: textFlag("only this thread", { helpValue: "<comment-id>" }),
    tail: countFlag("only the last n replies of the thread"),
    recent: countFlag("only the n threads with the newest activity", { min: 1 }),
    since: textFlag("only comments after this time", { helpValue: "<rfc3339>" }),
    before: textFlag("page: time of the cursor", { helpValue: "<rfc3339>" }),
    "before-id": textFlag("page: id of the cursor", { helpValue: "<uuid>" }),
    "roots-only": switchFlag("only the first comment of each thread"),
    summary: switchFlag("cut long comments"),
    full: switchFlag("do not fold resolved threads"),
    compact: switchFlag("JSON without empty and repeated fields"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCommentList);
    checkCommentQuery(flags);
    const session = this.session(flags);
    const { id } = await resolveIssue(session, args.issue);
    const answer = await session.api.comments(id, commentQuery(flags));
    const comments = (answer.body ?? []) as Comment[];
    await this.emit(flags, flags.compact ? compactComments(comments) : comments, async () => {
      const { displayNames } = await import("../../../cli/names.ts");
      const { commentTable } = await import("../../../views/issues.ts");
      return commentTable(comments, await displayNames(session));
    });
    const cursor = cursorLine(flags, answer.headers);
    if (cursor !== undefined) this.note(cursor);
  }
}
