import { ApiCommand } from "../../cli/api-command.ts";
import { attachmentFlag, attachmentIds, readAttachments, uploadToIssue } from "../../cli/attachments.ts";
import { listFlag, outputFlag, requiredTextFlag, switchFlag } from "../../cli/flags.ts";
import { checkIssueFields, issueFieldFlags, issueFields } from "../../cli/issue-fields.ts";
import { checkLinks } from "../../cli/link-check.ts";
import { usage } from "../../cli/resolve.ts";
import { readText } from "../../cli/text-input.ts";
import { envText } from "../../lib/config/index.ts";

export default class IssueCreate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Create an issue; an assigned agent starts on it at once";
  static override readonly examples = [
    'multica issue create --title "Fix the login" --assignee Dev',
    "multica issue create --title Report --description-file report.md --priority high --attachment shot.png",
  ];
  static override readonly flags = {
    title: requiredTextFlag("title", { helpValue: "<text>" }),
    ...issueFieldFlags,
    attachment: attachmentFlag,
    "attachment-id": listFlag("attachment that was uploaded before; repeatable, or separated by commas", "<uuid>"),
    "allow-duplicate": switchFlag("create it even when an active issue has the same title"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(IssueCreate);
    if (flags.title.trim() === "") throw usage("--title is empty");
    checkIssueFields(flags);
    const description = await readText({
      name: "description",
      inline: flags.description,
      stdin: flags["description-stdin"],
      file: flags["description-file"],
      cwd: this.cwd,
      allowExternal: flags["allow-external-file"],
    });
    const context = this.context(flags);
    await checkLinks({ text: description, context, cwd: this.cwd, delivery: "issue create --attachment" });
    const ids = attachmentIds(flags["attachment-id"], envText(this.env, "MULTICA_QUICK_CREATE_ATTACHMENT_IDS"));
    const note = (line: string): void => this.note(line);
    const files = await readAttachments(flags.attachment, { cwd: this.cwd, allowExternal: flags["allow-external-file"], note });
    const session = this.session(flags);
    session.workspaceId();
    const quickCreate = envText(this.env, "MULTICA_QUICK_CREATE_TASK_ID");
    const issue = await session.api.createIssue({
      title: flags.title,
      ...(description === undefined ? {} : { description }),
      ...(await issueFields(session, flags)),
      ...(flags["allow-duplicate"] ? { allow_duplicate: true } : {}),
      ...(quickCreate === undefined ? {} : { origin_type: "quick_create", origin_id: quickCreate }),
      ...(ids.length === 0 ? {} : { attachment_ids: ids }),
    });
    await uploadToIssue(session, files, { id: issue.id, key: issue.identifier || issue.id }, note);
    await this.emit(flags, issue, async () => (await import("../../views/issues.ts")).issueLine(issue));
  }
}
