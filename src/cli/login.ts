import { createUserApi } from "../lib/api/user-api.ts";
import { envText, isOfficialCloud, normalizeServerUrl, openSettingsStore, readSettings, type Env, type RunContext } from "../lib/config/index.ts";
import { errorText, EXIT, MulticaError } from "../lib/core/index.ts";
import type { User, Workspace } from "../lib/wire/index.ts";
import { withMessage } from "./errors.ts";
import { plainHttp } from "./session.ts";

const CLOUD = "https://api.multica.ai";
const CLOUD_APP = "https://multica.ai";

export interface LoginInput {
  readonly context: RunContext;
  readonly env: Env;
  readonly serverFlag: string | undefined;
  readonly token: string;
  /** id, slug or prefix of the workspace to work in. */
  readonly workspace: string | undefined;
}

export interface LoginReport {
  readonly authenticated: true;
  readonly server_url: string;
  readonly user: { readonly name: string; readonly email: string };
  readonly workspace_id: string | null;
  readonly workspaces: readonly { readonly id: string; readonly name: string }[];
  /** What did not work although the sign-in did. */
  readonly warning?: string;
}

/** Refuses anything but a personal (`mul_`) or cloud node (`mcn_`) token: exit 2 naming both, never quoting the input. */
export function checkToken(token: string): string {
  const text = token.trim();
  if (/^(?:mul|mcn)_./.test(text)) return text;
  throw new MulticaError("bad_token", "a token begins with mul_ (personal) or mcn_ (cloud node)", { exit: EXIT.usage });
}

/**
 * Signs in with a token: asks the server who it is, then stores it with the server's address and a workspace (cli.md 5.1).
 * Nothing is written when the server does not accept it. A failing workspace look-up is a warning; an unknown `workspace` is exit 4.
 */
export async function tokenLogin(input: LoginInput): Promise<LoginReport> {
  const { context } = input;
  const before = readSettings(context.stateDir);
  const raw = input.serverFlag ?? envText(input.env, "MULTICA_SERVER_URL") ?? before.server_url ?? CLOUD;
  const serverUrl = normalizeServerUrl(raw);
  const api = createUserApi(plainHttp({ ...context, workspaceId: undefined }, serverUrl, input.token));
  const user = await whoIs(api.me);
  const store = await openSettingsStore(context.stateDir, { privateBelow: context.taskConfigRoot });
  const appUrl = before.app_url === undefined && isOfficialCloud(serverUrl) ? { app_url: CLOUD_APP } : {};
  await store.set({ token: input.token, server_url: serverUrl, workspace_id: undefined, ...appUrl });
  const base = { authenticated: true as const, server_url: serverUrl, user: { name: user.name, email: user.email } };
  let workspaces: readonly Workspace[];
  try {
    workspaces = (await api.workspaces()) ?? [];
  } catch (error) {
    return { ...base, workspace_id: null, workspaces: [], warning: `signed in, but the workspaces cannot be listed: ${errorText(error)}` };
  }
  const stored = before.server_url === serverUrl ? before.workspace_id : undefined;
  const chosen = chooseWorkspace(workspaces, input.workspace, stored);
  if (chosen !== undefined) await store.set({ workspace_id: chosen.id });
  return { ...base, workspace_id: chosen?.id ?? null, workspaces: workspaces.map(({ id, name }) => ({ id, name })) };
}

async function whoIs(me: () => Promise<User>): Promise<User> {
  try {
    return await me();
  } catch (error) {
    const status = (error as { status?: unknown }).status;
    throw status === 401 ? withMessage(error, "the server does not accept this token: it is wrong or has expired") : error;
  }
}

function chooseWorkspace(all: readonly Workspace[], wanted: string | undefined, stored: string | undefined): Workspace | undefined {
  if (wanted === undefined) return all.find((one) => one.id === stored) ?? all[0];
  const text = wanted.trim().toLowerCase();
  const exact = all.find((one) => one.id.toLowerCase() === text || one.slug.toLowerCase() === text);
  const near = /^[0-9a-f-]{4,}$/.test(text) ? all.filter((one) => one.id.replaceAll("-", "").startsWith(text.replaceAll("-", ""))) : [];
  const found = exact ?? (near.length === 1 ? near[0] : undefined);
  if (found !== undefined) return found;
  throw new MulticaError("not_found", `signed in, but there is no workspace ${JSON.stringify(wanted)} here`, {
    exit: EXIT.notFound,
    suggestions: ["multica workspace list shows yours; multica workspace switch chooses one."],
  });
}
