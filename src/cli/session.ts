import { createLightHttp } from "../lib/api/light-http.ts";
import { patientHttp } from "../lib/api/patient-http.ts";
import { createUserApi, type UserApi } from "../lib/api/user-api.ts";
import type { Http, HttpOptions } from "../lib/api/http.ts";
import { requireApiAccess, requireWorkspaceId, type RunContext } from "../lib/config/index.ts";
import { WIRE_VERSION } from "../lib/wire/version.ts";

/** A signed-in connection of one command. Made after the command's local checks: making it checks the credentials. */
export interface Session {
  readonly context: RunContext;
  readonly http: Http;
  readonly api: UserApi;
  /** What each request carries, for calls that are not JSON. */
  readonly options: HttpOptions;
  /** The workspace id, or a usage error that says how to choose one. */
  workspaceId(): string;
}

/** Opens the session of an API command (cli.md 3.4, 4.5). No request is made here; without a task token in a task it throws. */
export function openSession(context: RunContext): Session {
  const { serverUrl, token } = requireApiAccess(context);
  const options = httpOptions(context, serverUrl, token);
  const light = createLightHttp(options);
  const http = context.kind === "task" ? patientHttp(light) : light;
  return { context, http, options, api: createUserApi(http), workspaceId: () => requireWorkspaceId(context) };
}

/** A client for a server and token of the caller's choice: signing in happens before anything is stored. */
export function plainHttp(context: RunContext, serverUrl: string, token: string): Http {
  return createLightHttp(httpOptions(context, serverUrl, token));
}

/** The same for requests that concern no workspace, such as making one. */
export function withoutWorkspace(session: Session): HttpOptions {
  return { ...session.options, workspaceId: "" };
}

function httpOptions(context: RunContext, serverUrl: string, token: string): HttpOptions {
  return {
    serverUrl,
    token,
    platform: "cli",
    clientVersion: WIRE_VERSION,
    os: process.platform === "win32" ? "windows" : process.platform,
    capabilities: ["stable_attachment_urls"],
    timeoutMs: context.httpTimeoutMs,
    ...(context.workspaceId === undefined ? {} : { workspaceId: context.workspaceId }),
    ...(context.agentId === undefined ? {} : { agentId: context.agentId }),
    ...(context.taskId === undefined ? {} : { taskId: context.taskId }),
  };
}
