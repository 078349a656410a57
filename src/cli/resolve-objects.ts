import { listIn, typedCall } from "../lib/api/typed-call.ts";
import { listPeople } from "./people-lists.ts";
import { choosePerson, resolvePrefix } from "./resolve.ts";
import type { Session } from "./session.ts";
import { isUuid } from "../lib/core/index.ts";

interface Identified {
  readonly id: string;
}

/** The full id of a label, project or resource, from the UUID or its first digits (cli.md 4.10.2). */
export async function resolveLabel(session: Session, ref: string): Promise<string> {
  return resolvePrefix("label", ref, () => fetchList(session, "/api/labels", "labels"));
}

export async function resolveProject(session: Session, ref: string): Promise<string> {
  return resolvePrefix("project", ref, () => fetchList(session, "/api/projects", "projects"));
}

export async function resolveResource(session: Session, project: string, ref: string): Promise<string> {
  return resolvePrefix("resource", ref, () => fetchList(session, `/api/projects/${encodeURIComponent(project)}/resources`, "resources"));
}

export async function resolveTrigger(session: Session, autopilot: string, ref: string): Promise<string> {
  return resolvePrefix("trigger", ref, () => fetchList(session, `/api/autopilots/${encodeURIComponent(autopilot)}`, "triggers"));
}

const PAGE = 50;

/** The full id of an autopilot. Their list comes in pages; a page without anything new ends it. */
export async function resolveAutopilot(session: Session, ref: string): Promise<string> {
  return resolvePrefix("autopilot", ref, async () => {
    const call = typedCall(session.http);
    const found = new Map<string, Identified>();
    for (;;) {
      const query = { workspace_id: session.workspaceId(), limit: PAGE, offset: found.size };
      const body = await call<{ total?: number; has_more?: boolean } | null>("GET", "/api/autopilots", { query });
      const page = listIn<Identified>(body, "autopilots");
      const known = found.size;
      for (const one of page) found.set(one.id, one);
      const more = body?.has_more === true || found.size < (body?.total ?? 0);
      if (page.length < PAGE || found.size === known || !more) return [...found.values()];
    }
  });
}

/** An agent from its UUID, taken as it is, or from a part of its name. */
export async function resolveAgent(session: Session, ref: string): Promise<string> {
  if (isUuid(ref.trim())) return ref.trim();
  return choosePerson(await listPeople(session, ["agent"]), ref).id;
}

async function fetchList(session: Session, path: string, key: string): Promise<Identified[]> {
  const query = { workspace_id: session.workspaceId() };
  return listIn<Identified>((await session.http.request("GET", path, { query })).body, key);
}
