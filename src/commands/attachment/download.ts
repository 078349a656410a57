import { join, resolve } from "node:path";
import { ApiCommand } from "../../cli/api-command.ts";
import { safeFileName } from "../../cli/attachment-name.ts";
import { argument, directoryFlag } from "../../cli/flags.ts";
import { createFileApi } from "../../lib/api/files.ts";
import { typedCall } from "../../lib/api/typed-call.ts";
import { MulticaError } from "../../lib/core/index.ts";
import { ensureDir, writeFileAtomic } from "../../lib/platform/index.ts";
import type { Attachment } from "../../lib/wire/index.ts";

export default class AttachmentDownload extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Fetch an attachment and print where it was put";
  static override readonly examples = ["multica attachment download 0190d3c2-8d2a-7000-8000-000000000000 -o files"];
  static override readonly args = { attachment: argument("attachment UUID") };
  static override readonly flags = { "output-dir": directoryFlag("directory to put it into; made when it is missing") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AttachmentDownload);
    const session = this.session(flags);
    const attachment = await typedCall(session.http)<Attachment>("GET", `/api/attachments/${encodeURIComponent(args.attachment)}`);
    if (!attachment.download_url) throw new MulticaError("bad_answer", "the server gives no address to fetch this attachment from");
    const bytes = await createFileApi(session.options).download(attachment.download_url);
    const directory = resolve(this.cwd, flags["output-dir"]);
    await ensureDir(directory);
    const path = join(directory, safeFileName(attachment));
    await writeFileAtomic(path, bytes, { mode: 0o644 });
    const result = { id: attachment.id, filename: attachment.filename, path, size: bytes.byteLength };
    await this.emit({ ...flags, json: true }, result, () => "");
    this.note(path);
  }
}
