import { ApiCommand } from "../../cli/api-command.ts";
import { attachmentMarkdown } from "../../cli/attachment-name.ts";
import { readLocalFile } from "../../cli/attachments.ts";
import { argument, textFlag } from "../../cli/flags.ts";
import { usage } from "../../cli/resolve.ts";
import { createFileApi } from "../../lib/api/files.ts";
import { envText } from "../../lib/config/index.ts";

export default class AttachmentUpload extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Inside a chat task: send a file along with the reply, and print the Markdown that shows it";
  static override readonly examples = ["multica attachment upload chart.png"];
  static override readonly args = { path: argument("the file") };
  static override readonly flags = { task: textFlag("the task whose reply it belongs to (MULTICA_TASK_ID)", { helpValue: "<uuid>" }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AttachmentUpload);
    if (/^https?:\/\//i.test(args.path)) throw usage("a web address cannot be uploaded", "Put the address into the text.");
    const task = flags.task ?? envText(this.env, "MULTICA_TASK_ID");
    if (task === undefined || task === "") throw usage("there is no task: give --task, or run this inside one");
    const file = await readLocalFile("<path>", args.path, { cwd: this.cwd, allowExternal: true });
    const session = this.session(flags);
    const attachment = await createFileApi(session.options).upload(file, { task_id: task });
    const url = attachment.markdown_url ?? "";
    if (url === "") this.note("Warning: the server did not say how to show this file in a text; it may not belong to the reply.");
    const result = { id: attachment.id, filename: attachment.filename, markdown_url: url, markdown: attachmentMarkdown(attachment) };
    await this.emit({ ...flags, json: true }, result, () => "");
  }
}
