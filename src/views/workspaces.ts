import { shortIds } from "../lib/core/index.ts";
import type { Workspace } from "../lib/wire/index.ts";
import { cutText, pairsText, tableText } from "./table.ts";

export function workspaceTable(
  all: readonly Pick<Workspace, "id" | "name" | "slug">[],
  current: string | undefined,
  fullId: boolean,
): string {
  const short = shortIds(all.map((entry) => entry.id));
  return tableText(
    ["", "ID", "NAME", "SLUG"],
    all.map((entry) => [entry.id === current ? "*" : "", fullId ? entry.id : short(entry.id), entry.name, entry.slug]),
  );
}

export function workspaceDetails(workspace: Workspace): string {
  return pairsText([
    ["ID", workspace.id],
    ["NAME", workspace.name],
    ["SLUG", workspace.slug],
    ["DESCRIPTION", cutText(workspace.description, 60)],
    ["CONTEXT", cutText(workspace.context, 60)],
  ]);
}
