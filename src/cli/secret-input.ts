import { resolve } from "node:path";
import { systemCode } from "../lib/core/index.ts";
import { readGivenFile } from "./given-file.ts";
import { usage } from "./resolve.ts";
import { readStdin } from "./text-input.ts";

interface SecretSources {
  readonly name: string;
  readonly inline: string | undefined;
  readonly stdin: boolean;
  readonly file: string | undefined;
  readonly cwd: string;
}

/** The text of a secret triple, undefined when no source was given; presence counts, also when empty (cli.md 4.9.2). */
export async function readSecret(sources: SecretSources): Promise<string | undefined> {
  const { name, inline, stdin, file, cwd } = sources;
  if ([inline !== undefined, stdin, file !== undefined].filter(Boolean).length > 1) throw usage(`--${name}, --${name}-stdin and --${name}-file exclude each other`);
  if (stdin) return readStdin();
  if (file === undefined) return inline;
  if (file === "") throw usage(`--${name}-file is empty`);
  const bytes = await readGivenFile(resolve(cwd, file)).catch((error: unknown) => {
    throw usage(`--${name}-file cannot be read (${systemCode(error) ?? "unknown reason"})`);
  });
  return bytes.toString("utf8");
}
