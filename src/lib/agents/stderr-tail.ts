import { redactText } from "../core/index.ts";

const TAIL_BYTES = 2048;
const SCAN_CHARS = 64 * 1024;

/** The last 2 KiB that an agent wrote to stderr, and a longer memory to search in (agents.md 5.5). */
export class StderrTail {
  #text = "";
  #bytes = 0;

  push(line: string): void {
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#text += `${line}\n`;
    // Cut now and then, not with each line: cutting copies what is kept.
    if (this.#text.length > 2 * SCAN_CHARS) this.#text = this.#text.slice(-SCAN_CHARS);
  }

  /** Bytes seen in all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when the last 64 KiB (or a little more) hold `needle`, in any case. */
  includes(needle: string): boolean {
    return this.#text.toLowerCase().includes(needle.toLowerCase());
  }

  /** At most 2048 bytes of valid text, trimmed, secrets and control characters taken out. Redacted before it is cut. */
  tail(): string {
    const clean = sanitizeDiagnostics(this.#text).trim();
    const bytes = Buffer.from(clean);
    let start = Math.max(0, bytes.length - TAIL_BYTES);
    while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return bytes.subarray(start).toString("utf8").trim();
  }
}

const SECRET_WORDS = "token|auth|authorization|api_key|api-key|apikey|secret|password";
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Diagnostics of a foreign program as they may be shown: no control characters, no header, field or assignment with a secret. */
export function sanitizeDiagnostics(text: string): string {
  const plain = text
    .replace(ESCAPES, "")
    .replace(CONTROLS, "")
    .replace(/(authorization\s*:)[^\n]*/gi, "$1 [REDACTED]")
    .replace(new RegExp(`("(?:${SECRET_WORDS})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi"), '$1"[REDACTED]"')
    .replace(new RegExp(`\\b((?:${SECRET_WORDS})\\s*[=:]\\s*)(?!\\[REDACTED\\])[^\\s"',;]+`, "gi"), "$1[REDACTED]");
  return redactText(plain);
}
