import { createUserApi } from "../lib/api/user-api.ts";
import { requireApiAccess, requireServerUrl, type RunContext } from "../lib/config/index.ts";
import { EXIT } from "../lib/core/index.ts";
import type { AuthStatus } from "../views/account.ts";
import { plainHttp } from "./session.ts";

/** Who the token belongs to. Not signed in is a result with exit status 3; no answer rejects (exit 6). In a task no part of the token is told. */
export async function authStatus(context: RunContext): Promise<{ status: AuthStatus; failure?: number }> {
  if (context.managed) requireApiAccess(context);
  if (context.token === undefined) {
    const status: AuthStatus = { authenticated: false, server_url: context.serverUrl ?? null, user: null, reason: "no_token" };
    return { status, failure: EXIT.notSignedIn };
  }
  const serverUrl = requireServerUrl(context);
  const { token } = context;
  const prefix = context.managed ? {} : { token_prefix: token.length > 12 ? `${token.slice(0, 12)}...` : token };
  try {
    const user = await createUserApi(plainHttp(context, serverUrl, token)).me();
    return { status: { authenticated: true, server_url: serverUrl, user: { name: user.name, email: user.email }, ...prefix } };
  } catch (error) {
    if ((error as { status?: unknown }).status !== 401) throw error;
    const status: AuthStatus = { authenticated: false, server_url: serverUrl, user: null, reason: "rejected", ...prefix };
    return { status, failure: EXIT.notSignedIn };
  }
}
