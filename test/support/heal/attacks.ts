import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Patient } from "./healer.ts";
import type { HealWorld } from "./home.ts";

export const SECRET = "the secret outside of everything";

export interface AttackOrder {
  readonly do: "inspect" | "list" | "heal" | "reuse" | "prepare" | "end" | "gc" | "artifacts" | "workdir" | "sidecars" | "root";
  readonly patient: Patient;
  readonly input: object;
  readonly priorWorkDir?: string;
}

/** A tree outside of all environments that looks like everything we could be looking for. */
export function plantCanary(base: string): string {
  const canary = join(base, "canary");
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(canary, path)), { recursive: true });
    writeFileSync(join(canary, path), text);
  };
  for (const name of ["file", "AGENTS.md", "SKILL.md", "issue_context.md", "inner/deep", "node_modules/x/y", "config.toml", "auth.json", "sessions/rollout-1-x.jsonl", "lint/SKILL.md", "lint/extra.md", "skills/lint/SKILL.md", "backup/auth.json", "cache/plugin", "agent.md", "output/o", "logs/l", "tool"]) put(name, `${SECRET}: ${name}`);
  put("daemon_task_context.json", '{"managed_by":"multica-daemon-task"}');
  put(".multica/daemon_task_context.json", '{"managed_by":"multica-daemon-task"}');
  put("project/resources.json", "{}");
  for (const name of [".task_owner", ".task_lock", ".multica_env.json", ".managed_env.json", ".gc_meta.json"]) put(name, name === ".task_owner" ? SECRET : "");
  put("workdir/.agent_context/issue_context.md", SECRET);
  put("repo/.git/config", "[core]\n");
  return canary;
}

/** Places in an env root where an agent can plant something, with what is behind the link: a directory or a file. */
const PLACES: readonly (readonly [string, "directory" | "file"])[] = [
  ...["workdir", "codex-home", "output", "logs", "multica-config", "worktree"].map((name) => [name, "directory"] as const),
  ...[".multica_env.json", ".managed_env.json", ".gc_meta.json", ".task_owner", ".task_lock", ".task_lock.holder", ".multica_sidecar_manifest.json", ".multica_worktree.json"].map((name) => [name, "file"] as const),
  ...[".multica", ".multica/project", ".agent_context", ".agents", ".agents/skills", ".agents/skills/lint", "repo", "node_modules"].map((name) => [`workdir/${name}`, "directory"] as const),
  ...["AGENTS.md", ".multica/daemon_task_context.json", ".multica/project/resources.json", ".agent_context/issue_context.md", ".agents/skills/lint/SKILL.md", "repo/.git"].map((name) => [`workdir/${name}`, "file"] as const),
  ...["sessions", "sessions/2026", "skills", "skills/lint", "skills/tool", "plugins", "plugins/cache", ".multica", ".multica/backup", "prompts", ".sandbox-bin"].map((name) => [`codex-home/${name}`, "directory"] as const),
  ...["auth.json", "config.toml", "config.json", "instructions.md", "models.json", "models_cache.json", ".models_cache_config.sha256", "skills/lint/SKILL.md", "prompts/agent.md", ".multica/backup/auth.json"].map((name) => [`codex-home/${name}`, "file"] as const),
];

export interface Attack {
  readonly name: string;
  plant(world: HealWorld, canary: string): void;
}

/** Every way in which a task plants something; paths of a plant that lie behind an earlier link are made real first. */
export function attacks(): Attack[] {
  const at = (world: HealWorld, path: string): string => join(world.root, path);
  const swap = (path: string, work: (path: string) => void): void => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(dirname(path), { recursive: true });
    work(path);
  };
  const links = PLACES.map(([path, kind]): Attack => ({
    name: `a link at ${path}`,
    plant: (world, canary) => swap(at(world, path), (place) => symlinkSync(kind === "directory" ? canary : join(canary, "file"), place)),
  }));
  const missing = PLACES.filter(([, kind]) => kind === "file").map(([path]): Attack => ({
    name: `a link to nothing at ${path}`,
    plant: (world, canary) => swap(at(world, path), (place) => symlinkSync(join(canary, "not-there"), place)),
  }));
  const pipes = PLACES.filter(([, kind]) => kind === "file").map(([path]): Attack => ({
    name: `a pipe at ${path}`,
    plant: (world) => swap(at(world, path), (place) => execFileSync("mkfifo", [place])),
  }));
  return [
    ...links,
    ...missing,
    ...pipes,
    { name: "a link for the env root", plant: (world, canary) => swap(world.root, (place) => symlinkSync(canary, place)) },
    { name: "the env root moved, a link to it", plant: (world) => { renameSync(world.root, join(world.base, "moved")); symlinkSync(join(world.base, "moved"), world.root); } },
    { name: "a link for the workspace", plant: (world, canary) => { mkdirSync(join(canary, "000000000001"), { recursive: true }); swap(dirname(world.root), (place) => symlinkSync(canary, place)); } },
    { name: "a link for the workspaces root's own directory", plant: (world, canary) => swap(join(world.workspaces, ".multica"), (place) => symlinkSync(join(canary, "inner"), place)) },
    { name: "a link for the workspaces root's marker", plant: (world, canary) => swap(join(world.workspaces, ".multica", "daemon_task_context.json"), (place) => symlinkSync(join(canary, "not-there"), place)) },
    { name: "a pipe for the workspaces root's marker", plant: (world) => swap(join(world.workspaces, ".multica", "daemon_task_context.json"), (place) => execFileSync("mkfifo", [place])) },
  ];
}

/** A process that takes orders, and is given up when it does not answer in time. */
export function startDoer(): { order(order: AttackOrder): Promise<string>; end(): Promise<void> } {
  const start = () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "attack-child.ts")], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, lines, ready: lines.next(), ended: new Promise((resolve) => child.once("exit", resolve)) };
  };
  let current = start();
  const end = async (): Promise<void> => {
    current.child.kill("SIGKILL");
    await current.ended;
  };
  return {
    async order(order) {
      await current.ready;
      current.child.stdin.write(`${JSON.stringify(order)}\n`);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), 5_000)));
      const answer = await Promise.race([current.lines.next(), late]);
      clearTimeout(timer);
      if (answer !== "late" && answer.done !== true) return answer.value;
      await end();
      current = start();
      return answer === "late" ? "HUNG" : "DIED";
    },
    end,
  };
}
