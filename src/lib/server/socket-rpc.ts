import { errorText } from "../core/index.ts";
import { RPC_CLAIM, type RpcRequest, type RpcResponse, claimRequestSchema, rpcRequestSchema } from "../wire/index.ts";
import type { Principal } from "./auth/authenticate.ts";
import type { ServerContext } from "./context.ts";
import { httpErrorOf } from "./http/errors.ts";
import { badRequest, notFound } from "./http-error.ts";
import { claimForDaemon } from "./services/daemon/claim-call.ts";

export interface RpcCaller {
  readonly principal: Principal;
  readonly capabilities: ReadonlySet<string>;
}

/**
 * Answers a call that came over the socket (server-api.md 10.6); undefined for a frame that is none. A failure carries
 * the status and text that the same call over HTTP would have.
 */
export function answerRpc(ctx: ServerContext, caller: RpcCaller, payload: unknown): RpcResponse | undefined {
  const request = rpcRequestSchema.safeParse(payload);
  if (!request.success || request.data.request_id === "") return undefined;
  const { request_id } = request.data;
  try {
    return { request_id, status: 200, body: execute(ctx, caller, request.data) };
  } catch (error) {
    const answer = httpErrorOf(error);
    if (answer.status >= 500) ctx.logger.error("call over the socket failed", { method: request.data.method, error: errorText(error) });
    return { request_id, status: answer.status, error: answer.message };
  }
}

function execute(ctx: ServerContext, caller: RpcCaller, request: RpcRequest): unknown {
  if (request.method !== RPC_CLAIM) throw notFound("method");
  const body = claimRequestSchema.safeParse(request.body ?? {});
  if (!body.success) throw badRequest("invalid request body");
  return claimForDaemon(ctx, caller.principal, body.data, caller.capabilities);
}
