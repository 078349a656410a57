import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findByEnv, systemClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type CheckoutRequest, type RepoCache, createRepoCache, createRepoKeeper, findUnpushedWork, salvageCheckouts } from "../../src/lib/repos/index.ts";
import { type TestGit, commitFiles, makeRemote, testGit } from "./git.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

/** A small generator with a seed, so that a failing sequence can be run again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORKER = join(import.meta.dirname, "..", "integration", "repos", "checkout-worker.ts");
const NAMES = ["README.md", "src/a.txt", "src/b.txt", "notes.txt", "deep/er/x.bin", "ümläut \"q\".txt", " lead", "-rf", "src/line\nbreak"];

export interface StormReport {
  readonly steps: number;
  readonly ours: number;
  readonly kills: number;
  readonly cancels: number;
  readonly rescues: number;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * A random sequence of what agents do in checkouts and what we do to them. Before each step of ours every byte of every
 * checkout that is not ignored is noted; after it, each must be in a file, reachable from a ref, or staged.
 */
export class RepoStorm {
  readonly #random: () => number;
  readonly #git: TestGit;
  readonly #base = realpathSync(tempDir());
  readonly #root: string;
  readonly #remotes: string[];
  readonly #workdirs: string[];
  readonly #counts: Record<string, number> = {};
  #cache: RepoCache;
  #task = 1;
  #serial = 0;
  #log: string[] = [];

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#git = testGit(tempDir());
    this.#root = join(this.#base, "workspaces");
    this.#workdirs = ["w1", "w2", "w3"].map((name) => join(this.#base, name));
    for (const path of this.#workdirs) mkdirSync(path);
    this.#remotes = ["org-a", "org-b"].map((org) =>
      makeRemote(this.#git, join(this.#base, org, "api"), "main", { "README.md": `${org}\n`, "src/a.txt": "1\n", "src/b.txt": "1\r\n2\n", ".gitignore": "build/\n" }),
    );
    this.#cache = this.#newCache();
  }

  #newCache(): RepoCache {
    return createRepoCache({ root: this.#root, clock: systemClock, logger: silentLogger, env: this.#git.env });
  }

  #pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.#random() * list.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  async run(steps: number): Promise<StormReport> {
    for (const remote of this.#remotes) await this.#cache.ensure("ws", remote);
    for (let step = 0; step < steps; step += 1) await this.#step(step);
    await this.#cache.close();
    this.#fsck();
    const keeper = createRepoKeeper({ root: this.#root, clock: systemClock, env: this.#git.env });
    const count = (name: string): number => this.#counts[name] ?? 0;
    const ours = ["again", "next", "cancel", "kill", "gc", "evict", "collect", "discard"].reduce((sum, name) => sum + count(name), 0);
    return { steps, ours, kills: count("kill"), cancels: count("cancel"), rescues: (await keeper.rescues()).length, counts: this.#counts };
  }

  async #step(step: number): Promise<void> {
    const checkouts = this.#checkouts();
    const agent = this.#random() < 0.6 && checkouts.length > 0;
    const name = agent ? this.#pick(["edit", "edit", "add", "add", "stage", "commit", "commit", "amend", "stash", "branch", "detach", "delete", "merge", "push"]) : this.#pick(["again", "again", "next", "next", "next", "cancel", "kill", "gc", "evict", "collect", "discard"]);
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    this.#log.push(`${step} ${name}`);
    if (agent) return this.#agent(name, this.#pick(checkouts));
    const before = this.#bytes();
    await this.#ours(name);
    this.#verify(before, `step ${step}: ${name}`);
  }

  /** Everything below the workdirs that has a `.git`, repositories that were set aside included. */
  #checkouts(): string[] {
    return this.#workdirs.flatMap((workdir) =>
      existsSync(workdir)
        ? readdirSync(workdir)
            .map((name) => join(workdir, name))
            .filter((path) => !path.includes(".broken-") && existsSync(join(path, ".git")))
        : [],
    );
  }

  #agent(name: string, path: string): void {
    const git = (...args: string[]): void => {
      try {
        this.#git(path, ...args);
      } catch {
        // Nothing to commit, nothing to stash, a conflict: an agent's day.
      }
    };
    const file = join(path, this.#pick(NAMES));
    this.#serial += 1;
    const text = `${this.#serial} ${this.#random()}${this.#pick(["\n", "\r\n", ""])}`;
    const write = (): void => {
      try {
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, text);
      } catch {
        // A file where a directory is wanted.
      }
    };
    if (name === "edit") write();
    else if (name === "add") writeFileSync(join(path, `new-${this.#serial}.txt`), text);
    else if (name === "delete") rmSync(file, { force: true, recursive: true });
    else if (name === "stage") (write(), git("add", "-A"), this.#random() < 0.5 ? write() : undefined);
    else if (name === "commit") (write(), git("add", "-A"), git("commit", "-q", "-m", text));
    else if (name === "amend") (write(), git("add", "-A"), git("commit", "-q", "--amend", "-m", text));
    else if (name === "stash") git("stash", ...(this.#random() < 0.5 ? ["-u"] : []));
    else if (name === "branch") git("checkout", "-q", "-b", `feature-${this.#serial}`);
    else if (name === "detach") git("checkout", "-q", "--detach");
    else if (name === "merge") git(this.#pick(["merge", "rebase", "cherry-pick"]), "origin/main");
    else if (name === "push") {
      commitFiles(this.#git, this.#pick(this.#remotes), { [this.#pick(["README.md", "src/a.txt", "src/new.txt"])]: text });
      mkdirSync(join(path, "build"), { recursive: true });
      writeFileSync(join(path, "build", "out"), text);
    }
  }

  #request(next: boolean): CheckoutRequest {
    if (next) this.#task += 1;
    return {
      workspaceId: "ws",
      url: this.#pick(this.#remotes),
      workdir: this.#pick(this.#workdirs),
      taskId: `01931a2b-0000-7000-8000-${String(this.#task).padStart(12, "0")}`,
      agentName: "Ada",
      mode: this.#random() < 0.6 ? "linked" : "isolated",
      coAuthor: this.#random() < 0.5,
      ...(this.#random() < 0.2 ? { ref: "main" } : {}),
    };
  }

  async #ours(name: string): Promise<void> {
    const request = this.#request(name !== "again");
    await this.#cache.ensure("ws", request.url);
    if (name === "again" || name === "next") await this.#cache.checkout(request);
    else if (name === "cancel") await this.#cancelled(request);
    else if (name === "kill") await this.#killed(request);
    else if (name === "collect") await this.#collect();
    else if (name === "discard") await this.#discard();
    else await this.#cache.maintain({ evictAfterMs: name === "evict" ? 1 : 0, pack: true, isIdle: () => true, isClaimed: () => name !== "evict", signal: new AbortController().signal });
  }

  async #cancelled(request: CheckoutRequest): Promise<void> {
    const stop = new AbortController();
    const cancel = systemClock.setTimer(this.#random() * 150, () => stop.abort(new Error("cancelled")));
    await this.#cache.checkout({ ...request, signal: stop.signal }).catch((error: unknown) => {
      if (!String(error).includes("cancelled")) throw error;
    });
    cancel();
  }

  async #killed(request: CheckoutRequest): Promise<void> {
    const child = spawn(process.execPath, [WORKER, this.#root, JSON.stringify(request)], { env: this.#git.env, stdio: ["ignore", "pipe", "ignore"] });
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    await systemClock.sleep(this.#random() * 150);
    child.kill("SIGKILL");
    await closed;
    // What it had started may live a moment longer; an agent of the same machine would be gone as well.
    const caches = this.#remotes.map((remote) => this.#cache.cachePath("ws", remote));
    await waitFor("the killed checkout's git to end", () => caches.every((cache) => findByEnv("MULTICA_REPO_CACHE", cache).length === 0));
  }

  /** What the environment collector does: a workdir goes when nothing in it exists nowhere else. */
  async #collect(): Promise<void> {
    const directory = this.#pick(this.#workdirs);
    const work = await findUnpushedWork({ directory, clock: systemClock, env: this.#git.env });
    if (work.length > 0 || readdirSync(directory).some((name) => name.includes(".broken-"))) return;
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
  }

  /** What a person does who deletes an environment with all its work: commits, stashes and tags outlive it as well. */
  async #discard(): Promise<void> {
    const directory = this.#pick(this.#workdirs);
    if (readdirSync(directory).some((name) => name.includes(".broken-"))) return;
    const own = this.#checkouts().filter((path) => path.startsWith(`${directory}/`) && lstatSync(join(path, ".git")).isDirectory());
    const commits = own.flatMap((path) => this.#git(path, "rev-list", "--all", "--glob=refs/stash", "--not", "--remotes=origin").split("\n")).filter((id) => id !== "");
    const { homeless } = await salvageCheckouts({ root: this.#root, workspaceId: "ws", directory, taskId: "storm-000000000001", clock: systemClock, env: this.#git.env });
    if (homeless.length > 0) throw new Error(`nothing keeps ${JSON.stringify(homeless)}`);
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    const kept = this.#reachable();
    const lost = commits.filter((id) => !kept.has(id));
    if (lost.length > 0) throw new Error(`commits lost: ${lost.join(", ")}\n${this.#log.slice(-30).join("\n")}`);
  }

  /** Ids of the content of every file that is not ignored, with its place. */
  #bytes(): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const child = join(path, entry.name);
        if (entry.name === ".git" || entry.name === "build" || entry.name.includes(".tmp-")) continue;
        if (entry.isDirectory()) visit(child);
        else found.set(blobId(child), child);
      }
    };
    for (const workdir of this.#workdirs) visit(workdir);
    return found;
  }

  #verify(before: ReadonlyMap<string, string>, when: string): void {
    const present = this.#bytes();
    const missing = [...before].filter(([id]) => !present.has(id));
    if (missing.length === 0) return;
    const reachable = this.#reachable();
    const lost = missing.filter(([id]) => !reachable.has(id));
    if (lost.length > 0) throw new Error(`${when} lost ${lost.map(([id, path]) => `${path} (${id})`).join(", ")}\n${this.#log.slice(-30).join("\n")}`);
  }

  #reachable(): Set<string> {
    const ids = new Set<string>();
    const list = (gitDir: string): void => {
      for (const line of this.#git(gitDir, "--git-dir", gitDir, "rev-list", "--objects", "--exclude=refs/stash", "--all").split("\n")) ids.add(line.slice(0, 40));
    };
    for (const remote of this.#remotes) {
      const bare = this.#cache.cachePath("ws", remote);
      if (existsSync(bare)) list(bare);
    }
    for (const path of this.#checkouts()) if (lstatSync(join(path, ".git")).isDirectory()) list(join(path, ".git"));
    return ids;
  }

  #fsck(): void {
    for (const remote of this.#remotes) this.#git(this.#base, "--git-dir", this.#cache.cachePath("ws", remote), "fsck", "--no-dangling");
    for (const path of this.#checkouts()) this.#git(path, "fsck", "--no-dangling");
  }
}

function blobId(path: string): string {
  const bytes = lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
