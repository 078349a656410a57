import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { leaveLocalDirectory, prepareEnvironment, writeBrief } from "../../src/lib/execenv/index.ts";
import { providerFiles } from "../../src/lib/execenv/providers.ts";
import { prepareInput } from "./execenv.ts";
import { taskId } from "./execenv-world.ts";
import { randomTree } from "./random-tree.ts";
import { seeded } from "./seeded.ts";
import { tempDir } from "./temp.ts";

export const LOCAL_SKILLS = [{ name: "Deploy", content: "Do it.\n", files: [{ path: "run/me.sh", content: "#!/bin/sh\n" }] }, { name: "deploy", content: "again" }];
export const LOCAL_PROJECT = { id: "p", title: "P", resources: [] };
export const MARKER = join(".multica", "daemon_task_context.json");

/** Every file and link below a directory that a user can have: bytes, mode, and time to the millisecond. Directories: mode only. */
export function picture(directory: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const facts = lstatSync(path);
    const mode = (facts.mode & 0o7777).toString(8);
    if (entry.isSymbolicLink()) result[path] = `link ${readlinkSync(path)}`;
    else if (entry.isDirectory()) result[path] = `directory ${mode}`;
    else result[path] = `${mode} ${Math.floor(facts.mtimeMs)} ${readFileSync(path, "base64")}`;
  }
  return result;
}

export function enterLocal(place: { root: string; home: string }, base: string, tail = "1", provider = "claude") {
  return prepareEnvironment(prepareInput(place, taskId(tail), { provider, localWorkDir: base, task: { skills: LOCAL_SKILLS, project: LOCAL_PROJECT } }));
}

export async function fullTask(place: { root: string; home: string }, base: string, options: { tail?: string; provider?: string } = {}): Promise<void> {
  const provider = options.provider ?? "claude";
  const environment = await enterLocal(place, base, options.tail, provider);
  await writeBrief(environment, { contextFile: providerFiles(provider).brief ?? "", task: { issueId: "i" } });
  await writeBrief(environment, { contextFile: providerFiles(provider).brief ?? "", task: { issueId: "i" } });
  await leaveLocalDirectory(environment.root);
  environment.release();
}

const PROVIDERS = ["claude", "acp", "openclaw", "gemini", "qwen", "nobody"];

/** A seeded random user's directory, a task in it, and the same directory again. */
export async function roundTrip(place: { root: string; home: string }, seed: number): Promise<void> {
  const base = tempDir("multica-local-");
  randomTree(base, seeded(seed));
  const before = picture(base);
  await fullTask(place, base, { tail: String(seed), provider: PROVIDERS[seed % PROVIDERS.length] ?? "claude" });
  expect([seed, picture(base)]).toEqual([seed, before]);
}
