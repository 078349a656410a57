import { Zip, ZipPassThrough } from "fflate";

// The earliest there is: the archive of the same files is the same bytes.
const DATE = new Date(1980, 0, 1);

/** A ZIP archive of texts, not compressed, in the order given: for a few small files. */
export function writeZip(files: readonly { readonly path: string; readonly content: string }[]): Buffer<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const zip = new Zip((error, part) => {
    if (error !== null) throw error;
    parts.push(part);
  });
  for (const { path, content } of files) {
    const file = new ZipPassThrough(path);
    file.mtime = DATE;
    zip.add(file);
    file.push(Buffer.from(content), true);
  }
  zip.end();
  return Buffer.concat(parts);
}
