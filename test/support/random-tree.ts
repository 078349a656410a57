import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAMES = ["AGENTS.md", "CLAUDE.md", "GEMINI.md", "QWEN.md", ".agent_context", ".multica", ".claude", ".agents", "skills", "deploy", "SKILL.md", "project", "resources.json", "issue_context.md", "src", "ä ö", "a.b"];

/** Fills a directory as a user might have it, with the names our own files have among them, some of them in odd shapes. */
export function randomTree(root: string, random: () => number, depth = 0): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const used = new Set<string>();
  for (let count = Math.floor(random() * 7); count > 0; count -= 1) {
    const name = pick(NAMES);
    if (used.has(name)) continue;
    used.add(name);
    const path = join(root, name);
    // Where our directories go a user's file would be a refusal, which has a test of its own; brief files are files.
    const mayBeDirectory = !name.endsWith(".md") && !name.endsWith(".json");
    const mustBeDirectory = [".agent_context", ".multica", ".claude", ".agents", "skills", "project", "deploy"].includes(name);
    if (mustBeDirectory || (mayBeDirectory && random() < 0.5)) {
      mkdirSync(path);
      if (depth < 4) randomTree(path, random, depth + 1);
    } else if (!name.endsWith(".md") && random() < 0.2) symlinkSync(pick(["nowhere", "/etc/hostname", "../x"]), path);
    else {
      const text = pick(["", "x", "text\n", "text\n\n", "\r\n\r\n", "é\u0000binary-ish", "a".repeat(5000)]);
      writeFileSync(path, text);
      chmodSync(path, pick([0o644, 0o600, 0o755, 0o640]));
      utimesSync(path, 1_600_000_000 + Math.floor(random() * 1e6), 1_600_000_000 + Math.floor(random() * 1e6));
    }
  }
}
