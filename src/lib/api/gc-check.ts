import { asString, isObject } from "../core/index.ts";
import { RequestError } from "./errors.ts";
import type { Http } from "./http.ts";

/** What a directory was made for, as the server knows it. */
export interface GcParentRef {
  readonly workspaceId: string;
  readonly kind: "issue" | "chat" | "autopilot_run" | "quick_create";
  readonly id: string;
}

/** The server's word on a parent. `unknown`: it could not be asked, or said something that is no answer. */
export type GcAnswer =
  | { readonly kind: "found"; readonly status: string; readonly changedAtMs: number | null }
  | { readonly kind: "not_found" }
  | { readonly kind: "unknown" };

/** Answers for many parents at once, by `gcParentKey`; a parent without an entry got none. Never rejects. */
export type GcAsk = (parents: readonly GcParentRef[], signal?: AbortSignal) => Promise<ReadonlyMap<string, GcAnswer>>;

const ROUTES: Readonly<Record<GcParentRef["kind"], string>> = {
  issue: "issues",
  chat: "chat-sessions",
  autopilot_run: "autopilot-runs",
  quick_create: "tasks",
};
const BATCH = 500;
const TIMEOUT_MS = 30_000;

/** The key of a parent's answer. */
function gcParentKey(parent: Pick<GcParentRef, "kind" | "id">): string {
  return `${parent.kind}:${parent.id}`;
}

/**
 * Asks whether directories are still needed (server-api.md 8): issues 500 at a time, one by one for the rest of the process
 * on a server without that route; everything else one by one. A batch that fails gives no answers: no fan-out into single calls.
 */
export function createGcAsk(http: Http): GcAsk {
  const memory = { batches: true };
  return async (parents, signal) => {
    const answers = new Map<string, GcAnswer>();
    const singles = parents.filter((parent) => parent.kind !== "issue");
    for (const chunk of issueChunks(parents)) {
      if (memory.batches && (await askBatch(http, chunk, answers, signal)) === "no_route") memory.batches = false;
      if (!memory.batches) singles.push(...chunk);
    }
    for (const parent of singles) {
      if (signal?.aborted !== true) answers.set(gcParentKey(parent), await askOne(http, parent, signal));
    }
    return answers;
  };
}

/** Distinct issues of one workspace, at most 500 together. */
function issueChunks(parents: readonly GcParentRef[]): GcParentRef[][] {
  const byWorkspace = new Map<string, Map<string, GcParentRef>>();
  for (const parent of parents) {
    if (parent.kind !== "issue") continue;
    const issues = byWorkspace.get(parent.workspaceId) ?? new Map<string, GcParentRef>();
    byWorkspace.set(parent.workspaceId, issues.set(parent.id, parent));
  }
  return [...byWorkspace.values()].flatMap((issues) => {
    const all = [...issues.values()];
    return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, at) => all.slice(at * BATCH, (at + 1) * BATCH));
  });
}

async function askBatch(http: Http, chunk: readonly GcParentRef[], answers: Map<string, GcAnswer>, signal?: AbortSignal): Promise<"asked" | "no_route"> {
  const workspace = chunk[0]?.workspaceId ?? "";
  try {
    const { body } = await http.request("POST", `/api/daemon/workspaces/${encodeURIComponent(workspace)}/issues/gc-check`, {
      body: { issue_ids: chunk.map((parent) => parent.id) },
      timeoutMs: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    const entries = isObject(body) && Array.isArray(body["issues"]) ? (body["issues"] as readonly unknown[]) : [];
    for (const entry of entries) {
      if (!isObject(entry) || asString(entry["id"]) === "") continue;
      const answer: GcAnswer = entry["found"] === false ? { kind: "not_found" } : entry["found"] === true ? foundIn(entry, "updated_at") : { kind: "unknown" };
      answers.set(gcParentKey({ kind: "issue", id: asString(entry["id"]) }), answer);
    }
    return "asked";
  } catch (error) {
    return error instanceof RequestError && isMissingRoute(error) ? "no_route" : "asked";
  }
}

async function askOne(http: Http, { kind, id }: GcParentRef, signal?: AbortSignal): Promise<GcAnswer> {
  try {
    const { body } = await http.request("GET", `/api/daemon/${ROUTES[kind]}/${encodeURIComponent(id)}/gc-check`, {
      timeoutMs: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    return isObject(body) ? foundIn(body, kind === "issue" || kind === "chat" ? "updated_at" : "completed_at") : { kind: "unknown" };
  } catch (error) {
    // A server without this route says so in plain text: that is no word on the parent.
    if (error instanceof RequestError && error.status === 404 && !isMissingRoute(error)) return { kind: "not_found" };
    return { kind: "unknown" };
  }
}

/** The router's own 404 is plain text; that of a record is a JSON object. */
function isMissingRoute(error: RequestError): boolean {
  return (error.status === 404 && !error.body.startsWith("{")) || error.status === 405;
}

function foundIn(body: Readonly<Record<string, unknown>>, timeKey: string): GcAnswer {
  const status = asString(body["status"]);
  if (status === "") return { kind: "unknown" };
  const changed = Date.parse(asString(body[timeKey]));
  // The year 1 stands for "not yet".
  return { kind: "found", status, changedAtMs: Number.isNaN(changed) || changed < 0 ? null : changed };
}
