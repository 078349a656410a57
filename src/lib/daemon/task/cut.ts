/** The longest beginning of `text` that takes at most `maxBytes` in UTF-8, cut between characters. */
export function cutBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** The text in pieces of at most `maxBytes` in UTF-8 each, cut between characters; none for an empty text. */
export function splitBytes(text: string, maxBytes: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest !== "") {
    // A slice first: encoding the whole rest for every piece would be quadratic.
    const piece = cutBytes(rest.slice(0, maxBytes), maxBytes);
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return pieces;
}
