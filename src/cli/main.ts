import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "@oclif/core/run";
import { settings } from "@oclif/core/settings";
import type { PJSON } from "@oclif/core/interfaces";
import { envSwitch, envText } from "../lib/config/index.ts";
import { EXIT } from "../lib/core/index.ts";
import { processEnv, systemClock } from "../lib/platform/index.ts";
import { jsonText, processStreams } from "../views/output.ts";
import { asksForHelp, normalizeArgv, wantsErrorDocument } from "./argv.ts";
import { errorDocument, errorLines, forTask, renderError } from "./errors.ts";
import { interruptedExit, listenForInterrupts } from "./interrupt.ts";
import { versionText } from "./version.ts";

export interface MainOptions {
  /** The directory of package.json. */
  readonly root: string;
  /** True = run the TypeScript sources and ignore the manifest (bin/dev.js). */
  readonly sources: boolean;
  /** Ends the process; only bin/ may do that. */
  readonly exit: (code: number) => void;
}

/** Runs one command line to its end: normalise, hand to the framework, render what was thrown, flush, exit (cli.md 6.6). */
export async function main(args: readonly string[], options: MainOptions): Promise<void> {
  listenForInterrupts(options.exit, () => systemClock.monotonic());
  let brokenPipe = false;
  for (const stream of [process.stdout, process.stderr]) {
    // First in the row: the framework's own listener throws, and a full disk would show as a stack.
    stream.prependListener("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") brokenPipe = true;
      else if (stream === process.stdout) endUnwritten(error, options);
    });
  }
  const argv = normalizeArgv(args);
  let exit = 0;
  try {
    if (argv[0] === "--version") return await say(versionText(options.root), options);
    settings.enableAutoTranspile = false;
    await run(argv, { root: options.root, pjson: manifestOf(argv, options), ignoreManifest: options.sources, userPlugins: false, devPlugins: false });
  } catch (error) {
    exit = report(error, args);
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  options.exit(brokenPipe ? 0 : exit);
}

/** What a command has to say is its result: when it cannot be written, the command has failed. */
function endUnwritten(error: Error, options: MainOptions): void {
  processStreams.err(`Error: cannot write the output: ${error.message}\n`);
  options.exit(EXIT.failed);
}

async function say(text: string, options: MainOptions): Promise<void> {
  processStreams.out(text);
  await flushed(process.stdout);
  options.exit(0);
}

function report(error: unknown, args: readonly string[]): number {
  const code = exitRequest(error);
  if (code !== undefined) return code;
  const interrupted = interruptedExit();
  const env = processEnv();
  const inTask = envText(env, "MULTICA_TASK_ID") !== undefined || envText(env, "MULTICA_AGENT_ID") !== undefined;
  const told = inTask ? forTask(renderError(error)) : renderError(error);
  const rendered = interrupted === undefined ? told : { ...told, kind: "interrupted", exit: interrupted };
  const end = args.indexOf("--");
  const debug = envSwitch(env, "MULTICA_DEBUG") || (end === -1 ? args : args.slice(0, end)).includes("--debug");
  processStreams.err(errorLines(rendered, error, debug));
  if (wantsErrorDocument(args)) processStreams.out(jsonText(errorDocument(rendered)));
  return rendered.exit;
}

/** The framework's way to end early (help, version): an error that only carries a status. */
function exitRequest(error: unknown): number | undefined {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "EEXIT") return undefined;
  const exit = (error as { oclif?: { exit?: unknown } }).oclif?.exit;
  return typeof exit === "number" ? exit : 0;
}

/** package.json as the framework needs it for this line: its plugins cost time and serve help and completion only. */
function manifestOf(argv: readonly string[], options: MainOptions): PJSON {
  const pjson = JSON.parse(readFileSync(join(options.root, "package.json"), "utf8")) as PJSON;
  const first = argv[0] ?? "help";
  const wanted = first === "help" || first === "autocomplete" || first.startsWith("-") || asksForHelp(argv);
  const oclif = { ...pjson.oclif, ...(wanted ? {} : { plugins: [] }) };
  return { ...pjson, oclif: options.sources ? fromSources(oclif) : oclif };
}

function fromSources(oclif: PJSON["oclif"]): PJSON["oclif"] {
  return JSON.parse(JSON.stringify(oclif).replaceAll("./dist/", "./src/")) as PJSON["oclif"];
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.errored !== null) resolve();
    else stream.write("", () => resolve());
  });
}
