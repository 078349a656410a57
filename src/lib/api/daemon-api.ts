import type { z } from "zod";
import { MulticaError } from "../core/index.ts";
import {
  type CancelAck,
  type ClaimRequest,
  type CompleteRequest,
  type DaemonWorkspace,
  type FailRequest,
  type HeartbeatResponse,
  type LocalSkillImportResult,
  type LocalSkillsResult,
  type ModelListResult,
  type RegisterRequest,
  type RegisterResponse,
  type ResolveBundles,
  type RuntimeProfile,
  type SkillData,
  type Task,
  type TaskMessage,
  type TaskRow,
  type UpdateResult,
  type UsageRow,
  type User,
  type WorkspaceRepos,
  claimResponseSchema,
  daemonProfilesSchema,
  daemonWorkspacesSchema,
  heartbeatResponseSchema,
  orphansSchema,
  registerResponseSchema,
  renewSchema,
  resolvedBundlesSchema,
  singleClaimResponseSchema,
  storedMessageSchema,
  type StoredMessage,
  taskRowSchema,
  taskStatusSchema,
  userSchema,
  workspaceReposSchema,
  workspacesSchema,
} from "../wire/index.ts";
import { isStatus } from "./errors.ts";
import { createGcAsk } from "./gc-check.ts";
import type { Http, Method, RequestOptions } from "./http.ts";

interface Call {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Every call of the daemon's side of the contract (server-api.md 4–6), one method each, none retried. */
export type DaemonApi = ReturnType<typeof createDaemonApi>;

/** The daemon's calls over an `Http`. Answers are parsed at this border; unknown keys are kept. */
export function createDaemonApi(http: Http) {
  const caller = callerOf(http);
  return { serverUrl: http.serverUrl, ...presenceCalls(http, caller), ...resultCalls(caller), ...taskCalls(caller), gcAnswers: createGcAsk(http) };
}

type Caller = ReturnType<typeof callerOf>;

function callerOf(http: Http) {
  return {
    call: async <T extends z.ZodType>(schema: T, method: Method, path: string, options: RequestOptions = {}): Promise<z.infer<T>> =>
      parse(schema, path, (await http.request(method, path, options)).body),
    post: async (path: string, body: unknown, options: Call = {}): Promise<void> => {
      await http.request("POST", path, { body, ...options });
    },
  };
}

const task = (id: string): string => `/api/daemon/tasks/${encodeURIComponent(id)}`;
const runtime = (id: string): string => `/api/daemon/runtimes/${encodeURIComponent(id)}`;

/** Answers to what the server asked with a heartbeat (server-api.md 9). */
function resultCalls({ post }: Caller) {
  const at = (runtimeId: string, kind: string, id: string): string => `${runtime(runtimeId)}/${kind}/${encodeURIComponent(id)}/result`;
  return {
    updateResult: (runtimeId: string, id: string, body: UpdateResult, options: Call = {}): Promise<void> => post(at(runtimeId, "update", id), body, options),
    modelListResult: (runtimeId: string, id: string, body: ModelListResult, options: Call = {}): Promise<void> => post(at(runtimeId, "models", id), body, options),
    localSkillsResult: (runtimeId: string, id: string, body: LocalSkillsResult, options: Call = {}): Promise<void> => post(at(runtimeId, "local-skills", id), body, options),
    skillImportResult: (runtimeId: string, id: string, body: LocalSkillImportResult, options: Call = {}): Promise<void> =>
      post(at(runtimeId, "local-skills/import", id), body, options),
  };
}

/** Who we are, what we offer, and that we live (server-api.md 4, 13.1.3). */
function presenceCalls(http: Http, { call, post }: Caller) {
  return {
    me: (options: Call = {}): Promise<User> => call(userSchema, "GET", "/api/me", options),
    renewToken: (options: Call = {}) =>
      call(renewSchema, "POST", "/api/tokens/current/renew", { body: {}, timeoutMs: 15_000, ...options }),

    register: (body: RegisterRequest, options: Call = {}): Promise<RegisterResponse> =>
      call(registerResponseSchema, "POST", "/api/daemon/register", { body, ...options }),
    /** `reasons`: why a runtime goes offline, by its id; older servers ignore it. */
    deregister: (runtimeIds: readonly string[], { reasons, ...options }: Call & { reasons?: Readonly<Record<string, unknown>> } = {}): Promise<void> =>
      post("/api/daemon/deregister", { runtime_ids: runtimeIds, ...(reasons === undefined ? {} : { offline_reasons: reasons }) }, options),
    heartbeat: (runtimeId: string, options: Call = {}): Promise<HeartbeatResponse> =>
      call(heartbeatResponseSchema, "POST", "/api/daemon/heartbeat", {
        body: { runtime_id: runtimeId, supports_batch_import: true },
        ...options,
      }),
    workspaces: (options: Call & { etag?: string } = {}) => listWorkspaces(http, options),
    /** Tasks that wait for a runtime: queued, or handed out and not started (server-api.md 5.7). */
    pendingTasks: (runtimeId: string, options: Call = {}): Promise<TaskRow[]> => call(taskRowSchema.array(), "GET", `${runtime(runtimeId)}/tasks/pending`, options),
    runtimeProfiles: async (workspaceId: string, options: Call = {}): Promise<RuntimeProfile[]> =>
      (await call(daemonProfilesSchema, "GET", `/api/daemon/workspaces/${encodeURIComponent(workspaceId)}/runtime-profiles`, options))
        .runtime_profiles,
    workspaceRepos: (workspaceId: string, options: Call = {}): Promise<WorkspaceRepos> =>
      call(workspaceReposSchema, "GET", `/api/daemon/workspaces/${encodeURIComponent(workspaceId)}/repos`, options),
    recoverOrphans: (runtimeId: string, options: Call = {}) =>
      call(orphansSchema, "POST", `${runtime(runtimeId)}/recover-orphans`, { body: {}, ...options }),
  };
}

/** Claiming and everything that is said about one task (server-api.md 5, 6). */
function taskCalls({ call, post }: Caller) {
  return {
    claimBatch: async (body: ClaimRequest, options: Call = {}): Promise<Task[]> =>
      (await call(claimResponseSchema, "POST", "/api/daemon/tasks/claim", { body, timeoutMs: 5000, ...options })).tasks,
    claimSingle: async (runtimeId: string, options: Call = {}): Promise<Task | null> =>
      (await call(singleClaimResponseSchema, "POST", `${runtime(runtimeId)}/tasks/claim`, { body: {}, ...options })).task,

    prepareLease: (runtimeId: string, taskId: string, options: Call = {}): Promise<TaskRow> =>
      call(taskRowSchema, "POST", `${runtime(runtimeId)}/tasks/${encodeURIComponent(taskId)}/prepare-lease`, {
        body: {},
        timeoutMs: 10_000,
        ...options,
      }),
    resolveSkillBundles: async (runtimeId: string, taskId: string, body: ResolveBundles, options: Call = {}): Promise<SkillData[]> =>
      (await call(resolvedBundlesSchema, "POST", `${runtime(runtimeId)}/tasks/${encodeURIComponent(taskId)}/skill-bundles/resolve`, { body, ...options }))
        .bundles,
    waitLocalDirectory: (taskId: string, reason: string, options: Call = {}): Promise<TaskRow> =>
      call(taskRowSchema, "POST", `${task(taskId)}/wait-local-directory`, { body: { reason }, timeoutMs: 10_000, ...options }),
    start: (taskId: string, options: Call = {}): Promise<TaskRow> =>
      call(taskRowSchema, "POST", `${task(taskId)}/start`, { body: {}, ...options }),
    status: async (taskId: string, options: Call = {}): Promise<string> =>
      (await call(taskStatusSchema, "GET", `${task(taskId)}/status`, options)).status,
    progress: (taskId: string, body: { summary: string; step: number; total: number }, options: Call = {}): Promise<void> =>
      post(`${task(taskId)}/progress`, body, options),
    messages: (taskId: string, messages: readonly TaskMessage[], options: Call = {}): Promise<void> =>
      post(`${task(taskId)}/messages`, { messages }, { timeoutMs: 5000, ...options }),
    readMessages: (taskId: string, since: number, options: Call = {}): Promise<StoredMessage[]> =>
      call(storedMessageSchema.array(), "GET", `${task(taskId)}/messages`, { query: { since }, ...options }),
    usage: (taskId: string, usage: readonly UsageRow[], options: Call = {}): Promise<void> => post(`${task(taskId)}/usage`, { usage }, options),
    session: (taskId: string, body: { session_id?: string; work_dir?: string }, options: Call = {}): Promise<void> =>
      post(`${task(taskId)}/session`, body, { timeoutMs: 5000, ...options }),
    complete: (taskId: string, body: CompleteRequest, options: Call = {}): Promise<TaskRow> =>
      call(taskRowSchema, "POST", `${task(taskId)}/complete`, { body, ...options }),
    fail: (taskId: string, body: FailRequest, options: Call = {}): Promise<TaskRow> =>
      call(taskRowSchema, "POST", `${task(taskId)}/fail`, { body, ...options }),
    cancelAck: (taskId: string, body: CancelAck, options: Call = {}): Promise<void> => post(`${task(taskId)}/cancel-ack`, body, options),
  };
}

export type WorkspaceList =
  | { readonly kind: "unchanged" }
  | { readonly kind: "list"; readonly workspaces: DaemonWorkspace[]; readonly etag?: string };

/**
 * The workspaces this credential serves. On a server without the route (404) the user route is asked instead,
 * whose objects are larger but carry the same id and name (server-api.md 4.4).
 */
async function listWorkspaces(http: Http, options: Call & { etag?: string }): Promise<WorkspaceList> {
  const { etag, ...rest } = options;
  const base = { timeoutMs: 15_000, ...rest };
  try {
    const answer = await http.request("GET", "/api/daemon/workspaces", {
      ...base,
      ...(etag === undefined ? {} : { headers: { "If-None-Match": etag } }),
    });
    if (answer.status === 304) return { kind: "unchanged" };
    const newTag = answer.headers.get("etag");
    const workspaces = parse(daemonWorkspacesSchema, "/api/daemon/workspaces", answer.body);
    return { kind: "list", workspaces, ...(newTag === null ? {} : { etag: newTag }) };
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    const answer = await http.request("GET", "/api/workspaces", base);
    return { kind: "list", workspaces: parse(workspacesSchema, "/api/workspaces", answer.body).map(({ id, name }) => ({ id, name })) };
  }
}

/** Parses an answer; one that does not fit is an error that names the route and the first misfit. */
function parse<T extends z.ZodType>(schema: T, path: string, body: unknown): z.infer<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.join(".") || "body"}: ${issue.message})`;
  throw new MulticaError("bad_answer", `the server's answer to ${path} is not what the contract says${where}`, {
    retry: "later",
    suggestions: ["Check that the address belongs to a Multica server and not to a proxy in front of it."],
  });
}

