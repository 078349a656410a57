import { rmSync, symlinkSync, writeFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HealWorld } from "./home.ts";

/** Damages nearly everything at once, so that healing it takes every kind of write there is. */
export function ruinEverything(world: HealWorld): void {
  const at = (name: string): string => join(world.codexHome, name);
  const gone = (path: string): void => rmSync(path, { recursive: true, force: true });
  const put = (path: string, text: string): void => {
    gone(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  put(at(".multica"), "a file where backups go");
  gone(at("sessions"));
  put(join(at("sessions"), "2026", "03", "04", "rollout-2026-03-04T00-00-00-cccc.jsonl"), "a history of its own");
  put(at("auth.json"), '{"token":"a newer one of the task"}');
  gone(at("config.json"));
  put(at("config.json/inside"), "a directory for a file");
  gone(at("instructions.md"));
  const config = readFileSync(at("config.toml"), "utf8");
  put(at("config.toml"), `features = { multi_agent = true, mine = "x" }\nmine = "edited here"\n${config}\n[projects."/w"]\ntrust_level = "trusted"\n`);
  gone(at("prompts"));
  gone(at("models.json"));
  put(at("models.json/inside"), "a directory for the catalog");
  put(at("models_cache.json"), "an old cache");
  put(at(".models_cache_config.sha256"), "of another configuration");
  put(at("plugins"), "a file for the plugins");
  put(at("skills"), "a file for the skills");
  for (const name of ["output", "logs", "multica-config", ".multica_env.json", ".managed_env.json", ".task_owner"]) gone(join(world.root, name));
  put(join(world.root, ".gc_meta.json"), JSON.stringify({ kind: "issue", issue_id: "0f6d3c1e-0000-4000-8000-0000000000b1", workspace_id: "0f6d3c1e-0000-4000-8000-000000000001", agent_id: "0f6d3c1e-0000-4000-8000-0000000000a1", completed_at: "2026-01-01T00:00:00Z" }));
  writeFileSync(join(world.root, ".task_owner"), "0f6d3c1e-0000-4000-8000-000000000001\n");
  symlinkSync("nowhere", at(".sessions.0123456789ab.tmp"));
}
