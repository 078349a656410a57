import { EXIT, MulticaError } from "../core/index.ts";
import type { ContextSigns, RunContext } from "./context.ts";

/** What a command may be used for inside a task (cli.md 3.6, decision 8). */
export type Access = "any" | "api" | "task-config" | "human";

/**
 * Refuses a command that has no business in this context, before anything is read or parsed (cli.md 3.6).
 * Throws `not_in_task` (exit 1) with the hint of cli.md 3.3 when a left-over marker may be the cause.
 */
export function checkAccess(access: Access, words: string, signs: ContextSigns, hasTaskConfigRoot: boolean): void {
  if (access === "human" && signs.kind === "task") {
    throw new MulticaError("not_in_task", `multica ${words} is not available inside a daemon-managed task`, {
      exit: EXIT.failed,
      suggestions: signs.leftoverMarker === undefined ? [OWNER_ONLY] : leftoverHint(signs),
    });
  }
  if (access === "task-config" && signs.managed && !hasTaskConfigRoot) {
    throw new MulticaError("not_in_task", `multica ${words} needs a task-local config root in MULTICA_TASK_CONFIG_ROOT here`, {
      exit: EXIT.failed,
      suggestions: leftoverHint(signs),
    });
  }
}

const OWNER_ONLY = "It belongs to the machine's owner: tell them what you need (issue comment add). If this is no task, unset MULTICA_TASK_ID, MULTICA_AGENT_ID and MULTICA_TASK_CONFIG_ROOT and leave the workspaces root.";

/** The sentence every refusal carries when the context may be a mistake (cli.md 3.3); empty when it is certain. */
function leftoverHint(signs: Pick<ContextSigns, "kind" | "leftoverMarker">): string[] {
  if (signs.leftoverMarker !== undefined) {
    return [
      `If you are not inside an agent task, ${signs.leftoverMarker} was probably left by a run that crashed: delete that file and try again.`,
    ];
  }
  if (signs.kind === "port-only") {
    return ["MULTICA_DAEMON_PORT is set without a task: remove it from the start-up environment of this host or container."];
  }
  return [];
}

export interface ApiAccess {
  readonly serverUrl: string;
  readonly token: string;
}

/**
 * The credentials of an API command in the order of cli.md 3.4: token rule, then server address.
 * Throws `not_signed_in` (exit 3) or `no_server` (exit 6) before any request was made.
 */
export function requireApiAccess(context: RunContext): ApiAccess {
  if (context.managed && !(context.token ?? "").startsWith("mat_")) {
    throw new MulticaError("not_signed_in", "an agent context needs a task-scoped mat_ token in MULTICA_TOKEN", {
      exit: EXIT.notSignedIn,
      suggestions: leftoverHint(context),
    });
  }
  if (context.token === undefined) {
    const way = context.serverUrl === undefined ? "setup embedded" : "login";
    throw new MulticaError("not_signed_in", "not signed in", {
      exit: EXIT.notSignedIn,
      suggestions: [`Run ${profileCommand(context.profile, way)}.`],
    });
  }
  return { serverUrl: requireServerUrl(context), token: context.token };
}

/** The server's base URL, or `no_server` (exit 1) telling how to get one. */
export function requireServerUrl(context: RunContext): string {
  if (context.serverUrl !== undefined) return context.serverUrl;
  throw new MulticaError("no_server", "no server is configured", {
    exit: EXIT.unreachable,
    suggestions: [
      `Run ${profileCommand(context.profile, "setup embedded")}, or set one with --server-url or MULTICA_SERVER_URL.`,
      ...leftoverHint(context),
    ],
  });
}

/** The workspace id, or `no_workspace` (exit 2); inside a task there is no fallback to the user's own (cli.md 3.4). */
export function requireWorkspaceId(context: RunContext): string {
  if (context.workspaceId !== undefined) return context.workspaceId;
  if (context.managed) {
    throw new MulticaError("no_workspace", "no workspace: the daemon must set MULTICA_WORKSPACE_ID, and there is no fallback", {
      exit: EXIT.usage,
      suggestions: leftoverHint(context),
    });
  }
  throw new MulticaError("no_workspace", "no workspace is chosen", {
    exit: EXIT.usage,
    suggestions: [
      `Run ${profileCommand(context.profile, "workspace switch <workspace>")}, or give --workspace-id or MULTICA_WORKSPACE_ID.`,
    ],
  });
}

/** `multica [--profile p] <words>`: a command line as it can be pasted. */
export function profileCommand(profile: string, words: string): string {
  const quoted = /^[A-Za-z0-9._/-]+$/.test(profile) ? profile : `'${profile.replaceAll("'", `'\\''`)}'`;
  return profile === "" ? `multica ${words}` : `multica --profile ${quoted} ${words}`;
}
