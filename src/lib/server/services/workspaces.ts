import { isUniqueViolation } from "../../platform/index.ts";
import type { Repo, WorkspaceInput } from "../../wire/index.ts";
import { insert, one, update } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { RepoEntry, WorkspaceRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** First path segments of this server: a workspace of that name could not be addressed by one. */
const RESERVED = new Set(["api", "auth", "login", "logout", "health", "healthz", "readyz", "ws", "workspaces", "settings", "admin", "invite"]);

/** Creates a workspace with its owner (server-api.md 13.2). Throws 400 and 409 with the texts of that page. */
export function createWorkspace(tx: Tx, ownerId: string, input: WorkspaceInput): WorkspaceRow {
  const name = (input.name ?? "").trim();
  const slug = (input.slug ?? "").trim();
  if (name === "" || slug === "") throw badRequest("name and slug are required");
  if (!SLUG.test(slug)) throw badRequest("slug must contain only lowercase letters, numbers, and hyphens");
  if (RESERVED.has(slug)) throw badRequest("slug is reserved");
  const id = tx.newId();
  try {
    insert(tx.db, "workspace", {
      id,
      name,
      slug,
      description: input.description ?? null,
      context: input.context ?? null,
      issue_prefix: prefixOf(input.issue_prefix ?? "", slug),
      created_at: tx.now,
      updated_at: tx.now,
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "workspace slug already exists", { cause: error });
    throw error;
  }
  insert(tx.db, "member", { id: tx.newId(), workspace_id: id, user_id: ownerId, role: "owner", created_at: tx.now });
  tx.emit({ type: "workspaces_changed", userId: ownerId });
  return loadWorkspace(tx, id);
}

/** Partial update; absent keys stay, null clears. `repos` replaces the whole list. */
export function updateWorkspace(tx: Tx, workspace: WorkspaceRow, input: WorkspaceInput): WorkspaceRow {
  const patch: Record<string, string | number | null> = { updated_at: tx.now };
  if (input.name !== undefined) {
    patch["name"] = input.name.trim();
    if (patch["name"] === "") throw badRequest("name is required");
  }
  for (const key of ["description", "context", "avatar_url"] as const) {
    const value = input[key];
    if (value !== undefined) patch[key] = value;
  }
  if (input.settings !== undefined) patch["settings"] = JSON.stringify(input.settings);
  if (input.repos !== undefined) patch["repos"] = JSON.stringify(cleanRepos(input.repos));
  if (input.issue_prefix !== undefined) patch["issue_prefix"] = prefixOf(input.issue_prefix, workspace.slug);
  update(tx.db, "workspace", workspace.id, patch);
  return loadWorkspace(tx, workspace.id);
}

function loadWorkspace(tx: Tx, id: string): WorkspaceRow {
  const row = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id });
  if (row === undefined) throw notFound("workspace");
  return row;
}

/** 1–10 of A–Z and 0–9; by default the first four of the slug (server-api.md 13.2). */
function prefixOf(given: string, slug: string): string {
  const prefix = given.trim().toUpperCase();
  if (prefix === "") return slug.replace(/[^a-z0-9]/g, "").slice(0, 4).toUpperCase();
  if (!/^[A-Z0-9]{1,10}$/.test(prefix)) throw badRequest("issue_prefix must be 1 to 10 letters or digits");
  return prefix;
}

function cleanRepos(repos: readonly Repo[]): RepoEntry[] {
  const byUrl = new Map<string, RepoEntry>();
  for (const repo of repos) {
    const url = repo.url.trim();
    if (url === "") continue;
    if (!isRepoUrl(url)) throw badRequest(`invalid repo url: ${url}`);
    if (byUrl.has(url)) continue;
    const entry: RepoEntry = { url };
    if (typeof repo.description === "string" && repo.description.trim() !== "") entry.description = repo.description.trim();
    if (typeof repo.ref === "string" && repo.ref.trim() !== "") entry.ref = repo.ref.trim();
    byUrl.set(url, entry);
  }
  return [...byUrl.values()];
}

/**
 * A URL git understands: http(s), ssh, git and file URLs, `user@host:path`, and an absolute path, which on one machine
 * is the most natural one. Nothing that git would read as an option or a remote helper.
 */
export function isRepoUrl(url: string): boolean {
  if (/[\s\0]/.test(url) && !url.startsWith("/")) return false;
  if (/^(?:https?|ssh|git|file):\/\/[^/]*\/?.+/.test(url)) return URL.canParse(url);
  return /^[\w.-]+@[\w.-]+:[^:].*$/.test(url) || /^\/(?!\/)[^\0\n\r]+$/.test(url);
}
