import { isObject, shortIds } from "../lib/core/index.ts";
import type { Project, ProjectResource } from "../lib/wire/index.ts";
import type { NameOf } from "./issues.ts";
import { cutText, pairsText, tableText, timeText } from "./table.ts";

/** `project list`. */
export function projectTable(projects: readonly Project[], fullId: boolean, nameOf: NameOf): string {
  const short = shortIds(projects.map((one) => one.id));
  return tableText(
    ["ID", "TITLE", "STATUS", "LEAD", "CREATED"],
    projects.map((one) => [fullId ? one.id : short(one.id), one.title, one.status, nameOf(one.lead_type, one.lead_id), timeText(one.created_at, 10)]),
  );
}

/** `project get --output table`. */
export function projectDetails(one: Project, nameOf: NameOf): string {
  return pairsText([
    ["ID", one.id],
    ["TITLE", one.title],
    ["STATUS", one.status],
    ["LEAD", nameOf(one.lead_type, one.lead_id)],
    ["DESCRIPTION", one.description],
  ]);
}

/** What changes of a project show. */
export function projectLine(one: Project): string {
  return tableText(["ID", "TITLE", "STATUS"], [[one.id, one.title, one.status]]);
}

/** `project resource …`. */
export function resourceTable(resources: readonly ProjectResource[], fullId: boolean): string {
  const short = shortIds(resources.map((one) => one.id));
  return tableText(
    ["ID", "TYPE", "REF", "LABEL"],
    resources.map((one) => [fullId ? one.id : short(one.id), one.resource_type, refText(one.resource_ref), one.label]),
  );
}

function refText(ref: unknown): string {
  const { url, ref: version, local_path: path } = isObject(ref) ? ref : {};
  if (typeof url === "string") return typeof version === "string" && version !== "" ? `${url} @ ${version}` : url;
  return typeof path === "string" ? path : cutText(JSON.stringify(ref), 80);
}
