import type { Repo, Workspace } from "../lib/wire/index.ts";
import { missing, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

/** The URLs of one command line: `--url` values first, then positional ones; trimmed, each once. None or blank: exit 2. */
export function repoUrls(flagged: readonly string[] | undefined, positional: readonly string[]): string[] {
  const urls = [...(flagged ?? []), ...positional].map((url) => url.trim());
  if (urls.length === 0 || urls.includes("")) throw usage("give at least one repository URL");
  return [...new Set(urls)];
}

export interface RepoChange {
  readonly workspace_id: string;
  readonly added: string[];
  readonly updated: string[];
  readonly repos: Repo[];
}

/** Adds repositories to the workspace's list, or changes a description; nothing is sent when nothing changes. */
export async function addRepos(session: Session, urls: readonly string[], description: string | undefined): Promise<RepoChange> {
  if (description !== undefined && urls.length > 1) throw usage("--description goes with one URL only");
  const id = session.workspaceId();
  const repos = reposOf(await session.api.workspace(id));
  const added: string[] = [];
  const updated: string[] = [];
  for (const url of urls) {
    const known = repos.findIndex((repo) => repo.url === url);
    const before = repos[known];
    if (before === undefined) {
      repos.push({ url, ...(description === undefined ? {} : { description }) });
      added.push(url);
    } else if (description !== undefined && (before.description ?? "") !== description) {
      repos[known] = { ...before, description };
      updated.push(url);
    }
  }
  const after = added.length + updated.length === 0 ? repos : reposOf(await session.api.updateWorkspace(id, { repos }));
  return { workspace_id: id, added, updated, repos: after };
}

export interface RepoRemoval {
  readonly workspace_id: string;
  readonly removed: string[];
  readonly repos: Repo[];
}

/** Takes repositories off the list. One that is not on it: exit 4 naming all of them, and nothing is changed. */
export async function removeRepos(session: Session, urls: readonly string[]): Promise<RepoRemoval> {
  const id = session.workspaceId();
  const repos = reposOf(await session.api.workspace(id));
  const unknown = urls.filter((url) => !repos.some((repo) => repo.url === url));
  if (unknown.length > 0) throw missing(`not in this workspace: ${unknown.join(", ")}`, "multica repo list shows its repositories.");
  const kept = repos.filter((repo) => !urls.includes(repo.url));
  return { workspace_id: id, removed: [...urls], repos: reposOf(await session.api.updateWorkspace(id, { repos: kept })) };
}

/** The list as the workspace holds it; never null. */
export function reposOf(workspace: Workspace): Repo[] {
  return [...(workspace.repos ?? [])];
}
