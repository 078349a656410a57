import { ApiCommand } from "../../../cli/api-command.ts";
import { attachmentFlag, readAttachments, uploadAll } from "../../../cli/attachments.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../../cli/flags.ts";
import { checkLinks } from "../../../cli/link-check.ts";
import { checkIssueRef, resolveIssue, usage } from "../../../cli/resolve.ts";
import { readText } from "../../../cli/text-input.ts";

export default class IssueCommentAdd extends ApiCommand {
  static override readonly access = "api";
  static override readonly hiddenAliases = ["comment:add"];
  static override readonly summary = "Comment on an issue";
  static override readonly examples = [
    "multica issue comment add MUL-12 --content-file result.md",
    'multica issue comment add MUL-12 --content "Done." --parent 0190d3c2-8d2a-7000-8000-000000000000',
  ];
  static override readonly args = { issue: argument("issue key or UUID") };
  static override readonly flags = {
    content: textFlag("text; \\n is decoded, prefer --content-file, a value with a leading dash needs =", { helpValue: "<text>" }),
    "content-file": textFlag("read the text from a file below the current directory", { helpValue: "<path>" }),
    "content-stdin": switchFlag("read the text from standard input"),
    "allow-external-file": switchFlag("let --content-file and --attachment point outside the current directory"),
    attachment: attachmentFlag,
    parent: textFlag("the comment this one answers", { helpValue: "<comment-id>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(IssueCommentAdd);
    const content = await readText({
      name: "content",
      inline: flags.content,
      stdin: flags["content-stdin"],
      file: flags["content-file"],
      cwd: this.cwd,
      allowExternal: flags["allow-external-file"],
    });
    if (content === undefined) throw usage("give the text with --content, --content-file or --content-stdin");
    await checkLinks({ text: content, context: this.context(flags), cwd: this.cwd, delivery: "issue comment add --attachment" });
    const note = (line: string): void => this.note(line);
    const files = await readAttachments(flags.attachment, { cwd: this.cwd, allowExternal: flags["allow-external-file"], note });
    checkIssueRef(args.issue);
    const session = this.session(flags);
    const { id, key } = await resolveIssue(session, args.issue);
    const uploaded = await uploadAll(session, files, { issue_id: id }, note);
    const comment = await session.api.addComment(id, {
      content,
      ...(flags.parent ? { parent_id: flags.parent } : {}),
      ...(uploaded.length === 0 ? {} : { attachment_ids: uploaded }),
    });
    await this.emit(flags, comment, () => `${comment.id}\n`);
    this.note(`Commented on ${key}.`);
  }
}
