import { EXIT, isUuid, MulticaError, shortIds } from "../lib/core/index.ts";
import type { Session } from "./session.ts";

/**
 * The reference of an issue as the server takes it: a key such as `MUL-12` or a full UUID (cli.md 4.10.1).
 * Anything else is refused here, without a request (exit 2).
 */
export function checkIssueRef(ref: string): string {
  const text = ref.trim();
  if (isUuid(text) || /^[A-Za-z0-9]+-[1-9]\d*$/.test(text)) return text;
  if (text === "") throw usage("the issue id is missing");
  if (/^[0-9a-f]{4,}$/i.test(text.replaceAll("-", ""))) {
    throw usage(`${JSON.stringify(text)} looks like a part of a UUID`, "Issues take their key, such as MUL-12, or the full UUID (issue list --full-id).");
  }
  throw usage(`${JSON.stringify(text)} is not an issue key or UUID`, "Write it like MUL-12.");
}

export interface IssueName {
  readonly id: string;
  /** What people call it: `MUL-12`. */
  readonly key: string;
}

/** Looks an issue up by key or UUID. Rejects with the server's 404 (exit 4) when there is none. */
export async function resolveIssue(session: Session, ref: string): Promise<IssueName> {
  const issue = await session.api.issue(checkIssueRef(ref));
  return { id: issue.id, key: issue.identifier === "" ? issue.id : issue.identifier };
}

/**
 * The full id that `ref` is a prefix of (at least four hex digits), or `ref` itself when it is a UUID, without a request
 * (cli.md 4.10.2). None: exit 4; several: exit 2 with all of them.
 */
export async function resolvePrefix(what: string, ref: string, candidates: () => Promise<readonly { readonly id: string }[]>): Promise<string> {
  const text = ref.trim();
  if (isUuid(text)) return text;
  const prefix = text.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{4,}$/.test(prefix)) throw usage(`${JSON.stringify(text)} is not a ${what} id`, "Give the UUID or at least its first four digits.");
  const found = (await candidates()).map((entry) => entry.id).filter((id) => id.replaceAll("-", "").toLowerCase().startsWith(prefix));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) throw missing(`no ${what} begins with ${text}`, "--full-id of the list command shows whole ids.");
  throw usage(`${text} is the beginning of several ${what} ids: ${found.sort().join(", ")}`);
}

/** A run's id: a UUID as it is, a prefix only within an issue. */
export async function resolveTask(session: Session, ref: string, issue: string | undefined): Promise<string> {
  if (isUuid(ref.trim())) return ref.trim();
  if (issue === undefined) throw usage("a short run id needs --issue", "Give the full UUID, or --issue MUL-12.");
  const { id } = await resolveIssue(session, issue);
  return resolvePrefix("run", ref, () => session.api.taskRuns(id));
}

/** The workspace that `ref` names: id, slug (any case) or prefix. The list holds what this user may see. */
export async function resolveWorkspace(session: Session, ref: string) {
  const all = await session.api.workspaces();
  const text = ref.trim();
  const exact = all.find((entry) => entry.id === text) ?? all.find((entry) => entry.slug.toLowerCase() === text.toLowerCase());
  if (exact !== undefined) return exact;
  const prefix = text.replaceAll("-", "").toLowerCase();
  const near = /^[0-9a-f]{4,}$/.test(prefix) ? all.filter((entry) => entry.id.replaceAll("-", "").startsWith(prefix)) : [];
  if (near.length > 1) throw usage(`${text} is the beginning of several workspaces: ${near.map((entry) => entry.id).join(", ")}`);
  if (near[0] !== undefined) return near[0];
  throw missing(`no workspace ${JSON.stringify(text)}, or no access to it`, "multica workspace list shows yours.");
}

export type PersonKind = "member" | "agent" | "squad";

export interface Person {
  readonly kind: PersonKind;
  readonly id: string;
  readonly name: string;
  readonly email?: string;
}

const MENTION = /^\[@[^\]]*\]\(mention:\/\/(member|agent|squad)\/([^)]+)\)$/;

/** Finds one person by id, its beginning (eight characters or more), e-mail, name or a part of it, in this order (cli.md 4.10.4). */
export function choosePerson(people: readonly Person[], ref: string): Person {
  const text = ref.trim();
  if (text === "") throw usage("the name is empty");
  const wanted = (MENTION.exec(text)?.[2] ?? text.replace(/^[@＠]+/, "")).toLowerCase();
  const ranks: ((person: Person) => boolean)[] = [
    (one) => one.id.toLowerCase() === wanted || (wanted.length >= 8 && one.id.toLowerCase().startsWith(wanted)) || one.email?.toLowerCase() === wanted,
    (one) => one.name.toLowerCase() === wanted,
    (one) => one.name.toLowerCase().includes(wanted),
  ];
  for (const rank of ranks) {
    const hits = people.filter(rank);
    const [first, second] = hits;
    if (first !== undefined && second === undefined) return first;
    if (first !== undefined) {
      const short = shortIds(hits.map((one) => one.id));
      const names = hits.map((one) => `${one.kind} ${one.name} (${short(one.id)})`);
      throw usage(`${JSON.stringify(text)} fits several: ${names.join(", ")}`);
    }
  }
  throw missing(`no member, agent or squad is called ${JSON.stringify(text)}`, "multica agent list shows the agents.");
}

/** The person with exactly this UUID. */
export function personById(people: readonly Person[], id: string): Person {
  if (!isUuid(id.trim())) throw usage(`${JSON.stringify(id)} is not a UUID`);
  const found = people.find((one) => one.id.toLowerCase() === id.trim().toLowerCase());
  if (found !== undefined) return found;
  throw missing(`no member, agent or squad has the id ${id}`, "multica agent list shows the agents.");
}

export function usage(message: string, ...suggestions: string[]): MulticaError {
  return new MulticaError("usage", message, { exit: EXIT.usage, suggestions });
}

export function missing(message: string, ...suggestions: string[]): MulticaError {
  return new MulticaError("not_found", message, { exit: EXIT.notFound, suggestions });
}
