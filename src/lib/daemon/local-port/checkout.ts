import { errorText, parseJson } from "../../core/index.ts";
import { type Clock, isInside, realPathIfExists } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { CloneProgress } from "../../repos/index.ts";
import { type CheckoutRequest, checkoutRequestSchema } from "../../wire/index.ts";
import type { TaskCredential } from "../credentials.ts";
import { type LocalContext, plain } from "./access.ts";
import { PROGRESS_HEADER, withProgress } from "./progress.ts";

/** A checkout that passed the access rules. Identity comes from the credential. */
export interface CheckoutOrder {
  readonly credential: TaskCredential;
  readonly url: string;
  /** Absolute, links resolved, inside the task's working directory. */
  readonly workdir: string;
  readonly ref: string | undefined;
  readonly mode: "linked" | "isolated";
  /** The caller understands a 503 that says "try again". */
  readonly retryBusy: boolean;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** Present when the caller reads progress: it waits then as long as a clone goes on. */
  readonly onProgress?: (progress: CloneProgress) => void;
}

export type CheckoutOutcome =
  | { readonly kind: "done"; readonly body: { readonly path: string; readonly branch_name: string } & Readonly<Record<string, unknown>> }
  | { readonly kind: "not_configured" }
  | { readonly kind: "busy" }
  | { readonly kind: "failed"; readonly text: string };

export interface CheckoutService {
  checkout(order: CheckoutOrder): Promise<CheckoutOutcome>;
}

interface Parts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly retryAfterSeconds: number;
  readonly checkouts: CheckoutService;
}

/** `POST /repo/checkout`: the checks in the order of daemon.md 13.4, texts of repocache.md 13.3. */
export async function checkoutRoute(c: LocalContext, parts: Parts): Promise<Response> {
  const caller = c.get("caller");
  if (caller.kind !== "task") return plain("repo checkout requires an active task credential", 401);
  const type = c.req.header("content-type");
  if (type !== undefined && !/^application\/json\b/i.test(type)) return plain("content type must be application/json", 415);
  const body = await readRequest(c);
  if (typeof body === "string") return plain(body, 400);
  const gone = new AbortController();
  const order = toOrder(body, caller.credential, AbortSignal.any([c.req.raw.signal, gone.signal]));
  if (order instanceof Response) return order;
  if (c.req.header(PROGRESS_HEADER) === undefined) return carryOut(order, parts);
  return withProgress(parts.clock, (onProgress) => carryOut({ ...order, onProgress }, parts), () => gone.abort(new Error("the caller went away")));
}

async function carryOut(order: CheckoutOrder, parts: Parts): Promise<Response> {
  const task = order.credential.taskId;
  try {
    const outcome = await parts.checkouts.checkout(order);
    return answer(outcome, parts);
  } catch (error) {
    if (order.signal.aborted) {
      parts.logger.debug("checkout caller went away", { task });
      return plain("client closed request", 499);
    }
    parts.logger.warn("repo checkout failed", { task, error: errorText(error) });
    return plain(errorText(error), 500);
  }
}

async function readRequest(c: LocalContext): Promise<CheckoutRequest | string> {
  const parsed = parseJson(await c.req.text());
  const result = checkoutRequestSchema.safeParse(parsed);
  if (result.success) return result.data;
  return `invalid request body: ${parsed === undefined ? "not JSON" : (result.error.issues[0]?.message ?? "unexpected shape")}`;
}

function toOrder(body: CheckoutRequest, credential: TaskCredential, signal: AbortSignal): CheckoutOrder | Response {
  const url = (body.url ?? "").trim();
  const workdir = body.workdir ?? "";
  if (url === "") return plain("url is required", 400);
  if (!body.workspace_id) return plain("workspace_id is required", 400);
  if (workdir === "") return plain("workdir is required", 400);
  const mode = body.checkout_mode ?? "";
  if (mode !== "" && mode !== "isolated") return plain("invalid checkout_mode", 400);
  if (body.workspace_id !== credential.workspaceId || body.task_id !== credential.taskId) {
    return plain("repo checkout task context does not match the active task", 403);
  }
  const own = realPathIfExists(credential.workdir);
  const wanted = realPathIfExists(workdir);
  if (own === undefined || wanted === undefined || !isInside(own, wanted)) {
    return plain("repo checkout workdir is not owned by the active task", 403);
  }
  const ref = body.ref?.trim();
  return {
    credential,
    url,
    workdir: wanted,
    ref: ref === "" ? undefined : ref,
    mode: mode === "isolated" ? "isolated" : "linked",
    retryBusy: body.retry_busy === true,
    signal,
  };
}

function answer(outcome: CheckoutOutcome, parts: Parts): Response {
  switch (outcome.kind) {
    case "done":
      return Response.json(outcome.body);
    case "not_configured":
      return plain("repo is not configured for this workspace", 400);
    case "busy":
      return plain("repository is busy with another operation; retry later", 503, {
        "X-Multica-Retryable": "repo-busy",
        "Retry-After": String(parts.retryAfterSeconds),
      });
    case "failed":
      return plain(outcome.text, 500);
  }
}
