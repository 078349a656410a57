import type { Attachment } from "../lib/wire/index.ts";

/** The bare file name to store an attachment under, whatever path its uploader wrote; the id when nothing is left (cli.md 5.16). */
export function safeFileName(attachment: Pick<Attachment, "id" | "filename">): string {
  const bare = (attachment.filename.split(/[\\/]/).at(-1) ?? "").replace(/[\u0000-\u001f\u007f]/g, "").trim();
  return bare === "" || bare === "." || bare === ".." ? attachment.id : bare;
}

/** The Markdown that shows an attachment: a picture as a picture, anything else as a file. */
export function attachmentMarkdown(attachment: Attachment): string {
  const label = attachment.filename.replace(/[\\[\]()]/g, "\\$&");
  const image = (attachment.content_type ?? "").toLowerCase().startsWith("image/");
  return `${image ? "!" : "!file"}[${label}](${attachment.markdown_url ?? ""})`;
}
