import { type CheckoutProgress, createLocalPortClient } from "../lib/api/local-port.ts";
import type { RunContext } from "../lib/config/index.ts";
import { asNumber, EXIT, isMulticaError, MulticaError } from "../lib/core/index.ts";
import type { Clock } from "../lib/platform/index.ts";
import type { CheckoutResponse } from "../lib/wire/index.ts";
import { parseDaemonPort } from "./task-port.ts";

export interface CheckoutInput {
  readonly context: RunContext;
  readonly url: string;
  readonly ref: string;
  readonly workdir: string;
  readonly mode: string;
  readonly clock: Clock;
  /** Told how a first clone goes on. */
  readonly onProgress?: (progress: CheckoutProgress) => void;
}

const LIMIT_MS = 5 * 60_000;
/** How long a daemon that is being started again is waited for. */
const RETURN_MS = 20_000;
const RETURN_POLL_MS = 250;

/**
 * Asks the daemon that runs this task for a checkout (cli.md 5.5). Repeats while the daemon says the repository is busy, for
 * five minutes in all. Exit 2 without `MULTICA_DAEMON_PORT`, 3 without a token or the right, 5 for a bad request, 6 unreachable.
 */
export async function checkout(input: CheckoutInput): Promise<CheckoutResponse> {
  const { context, clock } = input;
  const port = parseDaemonPort(context.daemonPort, "repo checkout is meant for agents inside a daemon task; elsewhere use git clone.");
  if (context.token === undefined) {
    throw new MulticaError("not_signed_in", "MULTICA_TOKEN is not set: only a task's own agent may check out", { exit: EXIT.notSignedIn });
  }
  const client = createLocalPortClient({ port, token: context.token });
  const limit = AbortSignal.timeout(LIMIT_MS);
  const patience = clock.monotonic() + (context.daemonReturns ? RETURN_MS : 0);
  for (;;) {
    const answer = await attempt(client, input, limit).catch((error: unknown) => {
      if (clock.monotonic() < patience && isAway(error)) return { kind: "busy" as const, waitMs: RETURN_POLL_MS };
      throw error;
    });
    if (answer.kind === "done") return answer.response;
    await clock.sleep(answer.waitMs, limit).catch(() => undefined);
    if (limit.aborted) throw tooLong();
  }
}

/** Nobody answers, or a daemon that was just started and does not know this task's token yet. */
function isAway(error: unknown): boolean {
  return isMulticaError(error, "daemon_unreachable") || (isMulticaError(error, "checkout_refused") && statusOf(error.cause) === 401);
}

type Attempt = { readonly kind: "done"; readonly response: CheckoutResponse } | { readonly kind: "busy"; readonly waitMs: number };

async function attempt(client: ReturnType<typeof createLocalPortClient>, input: CheckoutInput, limit: AbortSignal): Promise<Attempt> {
  const { context } = input;
  try {
    const response = await client.repoCheckout(
      {
        url: input.url,
        workspace_id: context.workspaceId ?? "",
        workdir: input.workdir,
        ref: input.ref,
        agent_name: context.agentName ?? "",
        task_id: context.taskId ?? "",
        checkout_mode: input.mode,
        retry_busy: true,
      },
      limit,
      input.onProgress,
    );
    return { kind: "done", response };
  } catch (error) {
    if (limit.aborted) throw tooLong();
    if (isMulticaError(error, "repo_busy")) return { kind: "busy", waitMs: asNumber(error.details["retryAfterMs"]) ?? 1000 };
    const status = statusOf(error);
    throw status === undefined ? error : refused(status, error);
  }
}

/** The daemon answers in one line; what to do about it is said here. */
const NEXT_STEPS: readonly { readonly said: RegExp; readonly step: string }[] = [
  { said: /not configured/, step: "multica repo list shows the workspace's repositories; use one of their URLs." },
  { said: /cannot resolve requested ref/, step: "Name a branch, a tag or a commit of the remote (git ls-remote <url> lists them), or leave --ref out for its default branch." },
  { said: /path already exists and is not/, step: "What is there was not touched: move it away, or run the command in another directory of the workdir." },
  { said: /active task credential|context does not match/, step: "Only a task that still runs may check out, with the MULTICA_ variables it was started with; if it was cancelled, stop working on it." },
  { said: /workdir is not owned/, step: "Run it in the task's own workdir, or in a directory below it." },
];

/** The daemon's own words with the exit code of this command's table: agents read them. */
function refused(status: number, error: unknown): MulticaError {
  const body = (error as { body?: unknown }).body;
  const text = typeof body === "string" && body.trim() !== "" ? body.trim() : `the daemon answered with status ${status}`;
  const exits: Readonly<Record<number, number>> = { 400: EXIT.validation, 401: EXIT.notSignedIn, 403: EXIT.notSignedIn };
  const suggestions = NEXT_STEPS.filter(({ said }) => said.test(text)).map(({ step }) => step);
  return new MulticaError("checkout_refused", text, { cause: error, exit: exits[status] ?? EXIT.failed, suggestions });
}

function statusOf(error: unknown): number | undefined {
  return isMulticaError(error, "http_status") ? asNumber((error as { status?: unknown }).status) : undefined;
}

function tooLong(): MulticaError {
  return new MulticaError("checkout_timeout", "the checkout did not finish within five minutes", {
    exit: EXIT.unreachable,
    retry: "later",
    suggestions: ["A first clone goes on in the background: run the command again."],
  });
}
