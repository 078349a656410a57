import { realpath } from "node:fs/promises";
import { dirname, join, resolve, basename } from "node:path";
import { systemCode } from "../lib/core/index.ts";
import { isInside } from "../lib/platform/index.ts";
import { readGivenFile } from "./given-file.ts";
import { usage } from "./resolve.ts";

export interface TextSources {
  /** The flag's name without dashes: `content` stands for `--content`, `--content-stdin` and `--content-file`. */
  readonly name: string;
  readonly inline?: string | undefined;
  readonly stdin?: boolean | undefined;
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly allowExternal?: boolean | undefined;
}

/**
 * The one text of a text triple, or undefined when none was given (cli.md 4.9.1). Inline values are decoded; file and
 * standard input are taken as they are, less one trailing newline. Throws a usage error (exit 2) that names the flags.
 */
export async function readText(sources: TextSources): Promise<string | undefined> {
  const { name, inline, stdin, file } = sources;
  const given = [inline !== undefined && inline !== "", stdin === true, file !== undefined].filter(Boolean).length;
  if (given > 1) throw usage(`--${name}, --${name}-stdin and --${name}-file exclude each other`);
  if (stdin === true) return notEmpty(withoutNewline(await readStdin()), `--${name}-stdin`);
  if (file !== undefined) return notEmpty(withoutNewline(await readTextFile(sources, file)), `--${name}-file`);
  return inline === undefined || inline === "" ? undefined : decode(inline);
}

/** All of standard input as UTF-8. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Buffer));
  return Buffer.concat(chunks).toString("utf8");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

/** `\n`, `\r`, `\t` and `\\` become what they stand for; every other backslash stays. */
export function decode(text: string): string {
  return text.replace(/\\([nrt\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

async function readTextFile(sources: TextSources, file: string): Promise<string> {
  const flag = `--${sources.name}-file`;
  const path = resolve(sources.cwd, file);
  if (sources.allowExternal !== true) await checkInside(flag, file, path, sources.cwd);
  try {
    return (await readGivenFile(path)).toString("utf8");
  } catch (error) {
    const code = systemCode(error);
    throw usage(`${flag}: ${file} ${code === "ENOENT" ? "is not there" : `cannot be read (${code ?? "unknown reason"})`}`);
  }
}

/** A stale file of another run must not become this text: the path must resolve inside the working directory (cli.md 4.9.3). */
export async function checkInside(flag: string, file: string, path: string, cwd: string): Promise<void> {
  const real = await realpath(path).catch(async () => join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path)));
  if (isInside(await realpath(cwd), real)) return;
  throw usage(`${flag}: ${file} lies outside the current directory`, "Allow it with --allow-external-file.");
}

function notEmpty(text: string, flag: string): string {
  if (text === "") throw usage(`${flag} gave an empty text`);
  return text;
}

function withoutNewline(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}
