import { resolve } from "node:path";
import { systemCode } from "../lib/core/index.ts";
import { switchFlag, textFlag } from "./flags.ts";
import { readGivenFile } from "./given-file.ts";
import { usage } from "./resolve.ts";

/** The three sources of a text that must arrive byte for byte (cli.md 4.9.2). */
export const exactFlags = {
  content: textFlag("text, taken as it is; a value with a leading dash needs =", { helpValue: "<text>" }),
  "content-file": textFlag("read the text from a file", { helpValue: "<path>" }),
  "content-stdin": switchFlag("read the text from standard input"),
};

interface ExactValues {
  readonly content?: string | undefined;
  readonly "content-file"?: string | undefined;
  readonly "content-stdin"?: boolean;
}

/** The text of one source, undefined when none was given. Nothing is decoded or trimmed; empty and broken UTF-8 are errors. */
export async function exactText(flags: ExactValues, cwd: string): Promise<string | undefined> {
  const { content, "content-file": file, "content-stdin": stdin } = flags;
  if ([content !== undefined, file !== undefined, stdin === true].filter(Boolean).length > 1) {
    throw usage("--content, --content-stdin and --content-file exclude each other");
  }
  if (content !== undefined) return notEmpty(content, "--content");
  if (file !== undefined) return notEmpty(utf8(await bytesOf(resolve(cwd, file), file), "--content-file"), "--content-file");
  return stdin === true ? notEmpty(utf8(await stdinBytes(), "--content-stdin"), "--content-stdin") : undefined;
}

async function bytesOf(path: string, shown: string): Promise<Buffer> {
  return readGivenFile(path).catch((error: unknown) => {
    const code = systemCode(error);
    throw usage(`--content-file: ${shown} ${code === "ENOENT" ? "is not there" : `cannot be read (${code ?? "unknown reason"})`}`);
  });
}

async function stdinBytes(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function utf8(bytes: Buffer, flag: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage(`${flag}: the text is not UTF-8`);
  }
}

function notEmpty(text: string, flag: string): string {
  if (text === "") throw usage(`${flag} gave an empty text`);
  return text;
}
