import { connectDaemonSocket } from "../api/socket.ts";
import { type HttpOptions, isRuntimeNotFound, isStatus, isTransient } from "../api/index.ts";
import { errorText } from "../core/index.ts";
import type { Clock } from "../platform/index.ts";
import type { DaemonContext } from "./context.ts";
import type { ClaimAnswer } from "./loops/claim-steps.ts";
import type { BeatAnswer } from "./loops/heartbeat.ts";
import type { SocketParts } from "./loops/socket.ts";

/** How the socket loop opens a connection. */
export function dialCall(http: HttpOptions, clock: Clock): SocketParts["dial"] {
  return (runtimeIds, handlers) =>
    connectDaemonSocket({
      http,
      runtimeIds,
      clock,
      onOpen: handlers.onOpen,
      onFrame: handlers.onFrame,
      onClose: ({ error }) => handlers.onClose({ reason: errorText(error ?? "closed"), status: refusedStatus(error) }),
    });
}

/** How the claim loop asks for work: whatever goes wrong is an answer. */
export function claimCalls(ctx: DaemonContext, mayClaim: (runtimeId: string) => boolean): {
  claimBatch(ids: readonly string[], max: number, signal: AbortSignal): Promise<ClaimAnswer>;
  claimSingle(id: string, signal: AbortSignal): Promise<ClaimAnswer>;
} {
  return {
    claimBatch: async (all, max, signal) => {
      const ids = all.filter(mayClaim);
      if (ids.length === 0 || !canKeep(ctx)) return { kind: "tasks", tasks: [] };
      try {
        const tasks = await ctx.api.claimBatch({ daemon_id: ctx.daemonId, runtime_ids: ids, max_tasks: max }, { signal });
        return { kind: "tasks", tasks };
      } catch (error) {
        // Any 404 but the one with recovery semantics is a server without the route.
        if (isRuntimeNotFound(error)) return { kind: "runtime_gone", runtimeId: null };
        if (isStatus(error, 404)) return { kind: "unsupported" };
        return { kind: "failed", error: errorText(error) };
      }
    },
    claimSingle: async (id, signal) => {
      if (!mayClaim(id) || !canKeep(ctx)) return { kind: "tasks", tasks: [] };
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

/** With a full or broken disk no new work is taken: its results could not be kept (state-db.md 20.3). */
function canKeep({ state }: DaemonContext): boolean {
  return state === null || state.trouble === null || state.trouble === "busy";
}

/** How the heartbeat loop beats over HTTP. */
export function beatCall(ctx: DaemonContext): (id: string, signal: AbortSignal) => Promise<BeatAnswer> {
  return async (id, signal) => {
    try {
      const answer = await ctx.api.heartbeat(id, { signal, timeoutMs: ctx.limits.heartbeatTimeout });
      return answer["runtime_gone"] === true ? { kind: "runtime_gone" } : { kind: "ok" };
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
