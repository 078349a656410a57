import type {
  Agent,
  AgentInput,
  AgentRuntime,
  Comment,
  CommentInput,
  Issue,
  IssueInput,
  Member,
  ProfileInput,
  RuntimeProfile,
  StoredMessage,
  TaskRow,
  TokenInfo,
  User,
  Workspace,
  WorkspaceInput,
} from "../wire/index.ts";
import type { Http, Method, RequestOptions } from "./http.ts";

type Query = NonNullable<RequestOptions["query"]>;

/** Every call of the people's side of the contract that commands use (server-api.md 13). */
export type UserApi = ReturnType<typeof createUserApi>;

/**
 * The user's calls over an `Http`. Answers are handed on as received (commands print them whole), typed by the wire
 * schemas but not parsed by them: hot commands must not load a schema library.
 */
export function createUserApi(http: Http) {
  const call = async <T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> =>
    (await http.request(method, path, options)).body as T;
  const id = encodeURIComponent;
  const issue = (key: string): string => `/api/issues/${id(key)}`;
  const workspace = (key: string): string => `/api/workspaces/${id(key)}`;
  const agent = (key: string): string => `/api/agents/${id(key)}`;

  return {
    serverUrl: http.serverUrl,
    me: () => call<User>("GET", "/api/me"),
    createToken: (body: { name: string; expires_in_days?: number }) => call<TokenInfo>("POST", "/api/tokens", { body }),

    workspaces: () => call<Workspace[]>("GET", "/api/workspaces"),
    workspace: (key: string) => call<Workspace>("GET", workspace(key)),
    createWorkspace: (body: WorkspaceInput) => call<Workspace>("POST", "/api/workspaces", { body }),
    updateWorkspace: (key: string, body: WorkspaceInput) => call<Workspace>("PATCH", workspace(key), { body }),
    members: (key: string) => call<Member[]>("GET", `${workspace(key)}/members`),

    runtimes: () => call<AgentRuntime[]>("GET", "/api/runtimes"),
    profiles: async (key: string) =>
      (await call<{ runtime_profiles: RuntimeProfile[] }>("GET", `${workspace(key)}/runtime-profiles`)).runtime_profiles,
    createProfile: (key: string, body: ProfileInput) => call<RuntimeProfile>("POST", `${workspace(key)}/runtime-profiles`, { body }),
    updateProfile: (key: string, profile: string, body: ProfileInput) =>
      call<RuntimeProfile>("PATCH", `${workspace(key)}/runtime-profiles/${id(profile)}`, { body }),
    deleteProfile: (key: string, profile: string) => call<null>("DELETE", `${workspace(key)}/runtime-profiles/${id(profile)}`),

    agents: (query: Query = {}) => call<Agent[]>("GET", "/api/agents", { query }),
    agent: (key: string) => call<Agent>("GET", agent(key)),
    createAgent: (body: AgentInput) => call<Agent>("POST", "/api/agents", { body }),
    updateAgent: (key: string, body: AgentInput) => call<Agent>("PUT", agent(key), { body }),
    archiveAgent: (key: string) => call<Agent>("POST", `${agent(key)}/archive`, { body: {} }),

    issues: (query: Query = {}) => call<{ issues: Issue[]; total: number }>("GET", "/api/issues", { query }),
    issue: (key: string) => call<Issue>("GET", issue(key)),
    createIssue: (body: IssueInput) => call<Issue>("POST", "/api/issues", { body }),
    updateIssue: (key: string, body: IssueInput) => call<Issue>("PUT", issue(key), { body }),
    comments: (key: string, query: Query = {}) => http.request("GET", `${issue(key)}/comments`, { query }),
    addComment: (key: string, body: CommentInput) => call<Comment>("POST", `${issue(key)}/comments`, { body }),
    deleteComment: (key: string) => call<null>("DELETE", `/api/comments/${id(key)}`),

    taskRuns: (key: string) => call<TaskRow[]>("GET", `${issue(key)}/task-runs`),
    taskMessages: (taskId: string, since = 0) => call<StoredMessage[]>("GET", `/api/tasks/${id(taskId)}/messages`, { query: { since } }),
    cancelTask: (taskId: string) => call<TaskRow>("POST", `/api/tasks/${id(taskId)}/cancel`, { body: {} }),
    rerun: (key: string, body: { task_id?: string } = {}) => call<TaskRow>("POST", `${issue(key)}/rerun`, { body }),
  };
}
