import type { Repo } from "../lib/wire/index.ts";
import { tableText } from "./table.ts";

export function repoTable(repos: readonly Repo[]): string {
  return tableText(
    ["URL", "DESCRIPTION"],
    repos.map((repo) => [repo.url, repo.description]),
  );
}

/** What `repo add` did; empty when nothing changed. */
export function repoChangeTable(result: { added: readonly string[]; updated: readonly string[]; repos: readonly Repo[] }): string {
  const rows = [
    ...result.added.map((url) => ["added", url]),
    ...result.updated.map((url) => ["updated", url]),
  ].map(([action, url]) => [action, url, result.repos.find((repo) => repo.url === url)?.description]);
  return rows.length === 0 ? "" : tableText(["ACTION", "URL", "DESCRIPTION"], rows);
}

export function repoRemovalTable(result: { removed: readonly string[] }): string {
  return tableText(
    ["REMOVED URL"],
    result.removed.map((url) => [url]),
  );
}
