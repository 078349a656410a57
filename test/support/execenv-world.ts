import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { prepareEnvironment } from "../../src/lib/execenv/index.ts";
import { runShort } from "../../src/lib/platform/process/run-short.ts";
import { machine, prepareInput } from "./execenv.ts";
import { waitFor } from "./wait.ts";

const bin = join(import.meta.dirname, "..", "..", "bin", "run.js");
const holder = join(import.meta.dirname, "env-child.ts");

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The parsed document of a `--json` run. */
  readonly json: Record<string, unknown>;
}

/** A machine with environments on it, and the real command line to look at them with. */
export function world() {
  const place = machine();
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", HOME: place.home, MULTICA_HOME: join(place.home, ".multica"), MULTICA_WORKSPACES_ROOT: place.root, LANG: "C.UTF-8" };
  return {
    ...place,
    env,
    /** Prepares an environment for a task whose id ends with these digits, and lets it go. */
    async make(tail: string, change: Parameters<typeof prepareInput>[2] = {}) {
      const environment = await prepareEnvironment(prepareInput(place, taskId(tail), { now: () => Date.now(), ...change }));
      environment.release();
      return { root: environment.root, workdir: environment.workdir, codexHome: environment.codexHome ?? "" };
    },
    async run(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Answer> {
      const result = await runShort({
        command: process.execPath,
        args: [bin, "execenv", ...args],
        cwd: options.cwd ?? place.home,
        env: { ...env, ...options.env },
        timeoutMs: 30_000,
        maxBytes: 16 << 20,
      });
      return { code: result.code, stdout: result.stdout, stderr: result.stderr, json: args.includes("--json") && result.stdout !== "" ? (JSON.parse(result.stdout) as Record<string, unknown>) : {} };
    },
  };
}

export function taskId(tail: string): string {
  return `0f6d3c1e-0000-4000-8000-${tail.padStart(12, "0")}`;
}

/** A process of its own that prepares the environment of this task and holds it until the test ends. */
export async function holdElsewhere(place: { root: string; home: string }, task: string): Promise<ChildProcess> {
  const input = { ...prepareInput(place, task), now: undefined, logger: undefined };
  const child = spawn(process.execPath, [holder, JSON.stringify(input), ""], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await waitFor("the holder to be ready", () => output.includes("ready"));
  return child;
}

/** One hash over names, kinds, modes, times and bytes of everything below a directory. */
export function treeHash(directory: string): string {
  const hash = createHash("sha256");
  const visit = (path: string, name: string): void => {
    const facts = lstatSync(path, { bigint: true });
    hash.update(`${name}\0${facts.mode}\0${facts.mtimeNs}\0`);
    if (facts.isSymbolicLink()) hash.update(readlinkSync(path));
    else if (facts.isDirectory()) for (const child of readdirSync(path).sort()) visit(join(path, child), `${name}/${child}`);
    else if (facts.isFile()) hash.update(readFileSync(path));
  };
  visit(directory, "");
  return hash.digest("hex");
}
