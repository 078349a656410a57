import { readlink } from "node:fs/promises";
import { join } from "node:path";
import { analyse } from "../codex/config/analyse.ts";
import { KEY_BLOCKS, TABLE_BLOCKS } from "../codex/config/blocks.ts";
import { readDocument } from "../codex/config/document.ts";
import type { CheckContext } from "./check.ts";
import { readConfig } from "./config-file.ts";
import { homePath, placeKind, reachable, shown } from "./place.ts";
import type { BlockView, EntryView, Finding } from "./types.ts";

const ENTRIES: readonly (readonly [string, EntryView["expected"]])[] = [
  ["sessions", "link"],
  ["auth.json", "link"],
  [join("plugins", "cache"), "link"],
  ["config.toml", "copy"],
  ["config.json", "copy"],
  ["instructions.md", "copy"],
  ["models_cache.json", "copy"],
  [".models_cache_config.sha256", "generated"],
  ["skills", "directory"],
];

/** The codex-home as a table; an entry is right when no finding of warn or error names it. */
export async function entryViews(context: CheckContext, findings: readonly Finding[]): Promise<EntryView[]> {
  if (context.codex === undefined) return [];
  const wrong = findings.filter((one) => one.severity !== "info" && one.status !== "healed").map((one) => one.path.split("#")[0]);
  const views: EntryView[] = [];
  for (const [entry, expected] of ENTRIES) {
    const seen = await look(context, entry);
    views.push({ entry, expected, ...seen, ok: seen.actual !== "unreadable" && !wrong.includes(shown(entry)) });
  }
  return views;
}

async function look(context: CheckContext, entry: string): Promise<Pick<EntryView, "actual" | "target">> {
  try {
    const kind = await placeKind(context, entry);
    if (kind !== "link") return { actual: kind, target: null };
    const path = homePath(context, entry);
    return { actual: (await reachable(path)) === undefined ? "broken link" : "link", target: await readlink(path) };
  } catch {
    return { actual: "unreadable", target: null };
  }
}

export async function blockViews(context: CheckContext): Promise<BlockView[]> {
  const { codex } = context;
  if (codex === undefined) return [];
  const text = (await readConfig(context).catch(() => undefined))?.text ?? "";
  const document = readDocument(text);
  const issues = analyse(document, codex.wants);
  return [...KEY_BLOCKS, ...TABLE_BLOCKS].map((block) => {
    const own = issues.filter((issue) => issue.block === block);
    return {
      block,
      present: document.regions.some((region) => region.id === block),
      current: own.every((issue) => issue.fault === "FOREIGN"),
      foreign: own.some((issue) => issue.fault === "FOREIGN"),
    };
  });
}
