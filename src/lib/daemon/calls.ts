import { connectDaemonSocket } from "../api/socket.ts";
import { type HttpOptions, isRuntimeNotFound, isStatus, isTransient } from "../api/index.ts";
import { errorText } from "../core/index.ts";
import { type ClaimRequest, RPC_CLAIM, claimResponseSchema } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { ClaimAnswer } from "./loops/claim-answer.ts";
import type { BeatAnswer } from "./loops/heartbeat.ts";
import type { SocketParts } from "./loops/socket.ts";
import type { RpcClient } from "./rpc.ts";

/** How the socket loop opens a connection. */
export function dialCall(http: HttpOptions, { clock, env }: Pick<DaemonContext, "clock" | "env">): SocketParts["dial"] {
  return (runtimeIds, handlers) =>
    connectDaemonSocket({
      http,
      runtimeIds,
      clock,
      env,
      onOpen: handlers.onOpen,
      onFrame: handlers.onFrame,
      onClose: ({ error }) => handlers.onClose({ reason: errorText(error ?? "closed"), status: refusedStatus(error) }),
    });
}

export interface ClaimCalls {
  overSocket(): boolean;
  claimBatch(ids: readonly string[], max: number, signal: AbortSignal, way: "socket" | "http"): Promise<ClaimAnswer>;
  claimSingle(id: string, signal: AbortSignal): Promise<ClaimAnswer>;
}

/** How the claim loop asks for work: whatever goes wrong is an answer. */
export function claimCalls(ctx: DaemonContext, rpc: Pick<RpcClient, "ready" | "call">, mayClaim: (runtimeId: string) => boolean): ClaimCalls {
  return {
    overSocket: () => rpc.ready,
    claimBatch: async (all, max, signal, way) => {
      const ids = all.filter(mayClaim);
      if (ids.length === 0 || !canKeep(ctx)) return NOTHING;
      const body = { daemon_id: ctx.daemonId, runtime_ids: ids, max_tasks: max };
      const early = way === "socket" ? await overSocket(ctx, rpc, body, signal) : null;
      return early ?? (await overHttp(ctx, body, signal));
    },
    claimSingle: async (id, signal) => {
      if (!mayClaim(id) || !canKeep(ctx)) return NOTHING;
      try {
        const task = await ctx.api.claimSingle(id, { signal, timeoutMs: ctx.limits.singleClaimTimeout });
        return { kind: "tasks", tasks: task === null ? [] : [task] };
      } catch (error) {
        if (isRuntimeNotFound(error)) return { kind: "runtime_gone", runtimeId: id };
        return { kind: "failed", error: errorText(error) };
      }
    },
  };
}

const NOTHING: ClaimAnswer = { kind: "tasks", tasks: [] };

/** Null: it was certainly not executed, so HTTP may be asked at once (daemon.md 9.4). */
async function overSocket(ctx: DaemonContext, rpc: Pick<RpcClient, "call">, body: ClaimRequest, signal: AbortSignal): Promise<ClaimAnswer | null> {
  const answer = await rpc.call(RPC_CLAIM, body, ctx.limits.batchClaimTimeout, signal);
  if (answer.kind === "aborted") return { kind: "failed", error: "aborted" };
  if (answer.kind === "uncertain") return answer;
  if (answer.kind === "not_sent" || answer.status >= 400) return null;
  const parsed = claimResponseSchema.safeParse(answer.body);
  // Tasks may be in what we cannot read.
  return parsed.success ? { kind: "tasks", tasks: parsed.data.tasks } : { kind: "uncertain" };
}

async function overHttp(ctx: DaemonContext, body: ClaimRequest, signal: AbortSignal): Promise<ClaimAnswer> {
  try {
    return { kind: "tasks", tasks: await ctx.api.claimBatch(body, { signal, timeoutMs: ctx.limits.batchClaimTimeout }) };
  } catch (error) {
    // Any 404 but the one with recovery semantics is a server without the route.
    if (isRuntimeNotFound(error)) return { kind: "runtime_gone", runtimeId: null };
    if (isStatus(error, 404)) return { kind: "unsupported" };
    return { kind: "failed", error: errorText(error) };
  }
}

/** With a full or broken disk no new work is taken: its results could not be kept (state-db.md 20.3). */
function canKeep({ state }: DaemonContext): boolean {
  return state === null || state.trouble === null || state.trouble === "busy";
}

/** How the heartbeat loop beats over HTTP. */
export function beatCall(ctx: Pick<DaemonContext, "api" | "limits">): (id: string, signal: AbortSignal, timeoutMs?: number) => Promise<BeatAnswer> {
  return async (id, signal, timeoutMs = ctx.limits.heartbeatTimeout) => {
    try {
      const answer = await ctx.api.heartbeat(id, { signal, timeoutMs });
      return answer["runtime_gone"] === true ? { kind: "runtime_gone" } : { kind: "ok", actions: answer };
    } catch (error) {
      if (isRuntimeNotFound(error)) return { kind: "runtime_gone" };
      return { kind: isTransient(error) ? "transient" : "failed", error: errorText(error) };
    }
  };
}

/** The status of a refused handshake: ws has it only in its text. */
function refusedStatus(error: Error | undefined): number | undefined {
  const status = /Unexpected server response: (\d{3})/.exec(error?.message ?? "")?.[1];
  return status === undefined ? undefined : Number(status);
}
