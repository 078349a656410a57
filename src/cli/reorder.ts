import { MulticaError } from "../lib/core/index.ts";
import type { Issue } from "../lib/wire/index.ts";
import { checkIssueRef, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

/** Where in its column an issue is to stand; `ref` is the other issue as it was typed. */
export type Place = { readonly kind: "top" | "bottom" } | { readonly kind: "before" | "after"; readonly ref: string };

export interface PlaceFlags {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly top?: boolean;
  readonly bottom?: boolean;
}

const KINDS = ["before", "after", "top", "bottom"] as const;
const PAGE = 100;

/** The one place that the flags name; `set` holds what stood on the line, also as `--top=false`. Throws usage errors (exit 2). */
export function placeOf(flags: PlaceFlags, set: ReadonlySet<string>): Place {
  const [kind, ...more] = KINDS.filter((name) => set.has(name));
  if (kind === undefined || more.length > 0) throw usage("give exactly one of --before, --after, --top and --bottom");
  if (kind === "top" || kind === "bottom") {
    if (flags[kind] !== true) throw usage(`--${kind}=false names no place`);
    return { kind };
  }
  const ref = flags[kind]?.trim() ?? "";
  if (ref === "") throw usage(`--${kind} is empty`);
  return { kind, ref: checkIssueRef(ref) };
}

/** What a move comes to: the new position, or why nothing has to be written. */
export type Move = { readonly kind: "move"; readonly position: number } | { readonly kind: "alone" | "unchanged" };

/**
 * Looks at the issue's column (its status, within its project) and says where the issue belongs in it (cli.md 5.8).
 * Throws usage for itself as its neighbour, `other_column` and `no_room` (exit 1).
 */
export async function planMove(session: Session, issue: Issue, place: Place): Promise<Move> {
  const other = "ref" in place ? await session.api.issue(place.ref) : undefined;
  if (other?.id === issue.id) throw usage(`${issue.identifier} cannot stand beside itself`);
  const column = await columnOf(session, issue);
  const rest = column.filter((one) => one.id !== issue.id);
  if (other !== undefined && !rest.some((one) => one.id === other.id)) throw otherColumn(issue, other);
  if (rest.length === 0) return { kind: "alone" };
  const slot = slotIn(rest, place, other);
  if (column.findIndex((one) => one.id === issue.id) === slot) return { kind: "unchanged" };
  return { kind: "move", position: between(rest[slot - 1], rest[slot]) };
}

async function columnOf(session: Session, issue: Issue): Promise<Issue[]> {
  const query = {
    workspace_id: session.workspaceId(),
    status: issue.status,
    ...(issue.project_id ? { project_id: issue.project_id } : {}),
    sort: "position",
    limit: PAGE,
  };
  const column: Issue[] = [];
  for (;;) {
    const page = await session.api.issues({ ...query, offset: column.length });
    column.push(...page.issues);
    if (page.issues.length === 0 || column.length >= page.total) return column;
  }
}

function slotIn(rest: readonly Issue[], place: Place, other: Issue | undefined): number {
  if (place.kind === "top") return 0;
  if (place.kind === "bottom") return rest.length;
  const at = rest.findIndex((one) => one.id === other?.id);
  return place.kind === "before" ? at : at + 1;
}

function between(previous: Issue | undefined, next: Issue | undefined): number {
  if (previous === undefined) return (next?.position ?? 0) - 1;
  const low = previous.position ?? 0;
  if (next === undefined) return low + 1;
  const high = next.position ?? 0;
  const middle = (low + high) / 2;
  // Halving ends somewhere, and older servers may hold equal positions: a write would change nothing.
  if (middle > low && middle < high) return middle;
  throw new MulticaError("no_room", `there is no room between ${previous.identifier} and ${next.identifier}`, {
    suggestions: [`Move ${next.identifier} first, for example with --bottom.`],
  });
}

function otherColumn(issue: Issue, other: Issue): MulticaError {
  const where = issue.status === other.status ? "they belong to different projects" : `${issue.identifier} is in ${issue.status}, ${other.identifier} in ${other.status}`;
  return new MulticaError("other_column", `${other.identifier} is not in the column of ${issue.identifier}: ${where}`);
}
