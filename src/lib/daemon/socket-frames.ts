import { errorText } from "../core/index.ts";
import { FRAME, type Frame, heartbeatAckSchema, pendingWorkSchema, profilesChangedSchema, taskAvailableSchema } from "../wire/index.ts";
import type { AckStamps } from "./ack-stamps.ts";
import type { Actions } from "./actions/actions.ts";
import type { DaemonContext } from "./context.ts";
import type { ClaimLoop } from "./loops/claim.ts";
import type { SocketParts } from "./loops/socket.ts";
import type { PendingWork } from "./pending-work.ts";
import type { RpcClient } from "./rpc.ts";
import type { SyncLoop } from "./loops/sync.ts";
import type { Registrar } from "./register.ts";

/** The connection as others see it. */
export interface Link {
  connected: boolean;
  /** Epoch milliseconds of the last change. */
  since: number | null;
  /** Closes the present connection; the loop makes a new one. */
  close(): void;
}

export interface FrameParts {
  readonly ctx: DaemonContext;
  /** Shared with the sync loop: hints cannot arrive without a connection. */
  readonly link: Link;
  readonly stamps: AckStamps;
  readonly sync: SyncLoop;
  readonly claim: ClaimLoop;
  readonly registrar: Registrar;
  readonly rpc: RpcClient;
  readonly actions: Pick<Actions, "apply">;
  readonly pendingWork: PendingWork;
  readonly runtimeGone: (id: string) => void;
}

/** What the daemon does when the socket opens, brings a frame, or is lost (daemon.md 9.1, 9.3). */
export function frameHandlers(parts: FrameParts): Pick<SocketParts, "onConnected" | "onFrame" | "onDisconnected"> {
  const { ctx, link, stamps, sync, claim } = parts;
  return {
    onConnected: (session, ids) => {
      link.connected = true;
      link.since = ctx.clock.now();
      link.close = () => session.close();
      parts.rpc.connected((frame) => session.post(frame));
      // The server may have been upgraded, and everything told by hints may be stale.
      claim.resetMode();
      claim.wake();
      ctx.reconcile.broadcast();
      ctx.outbox?.kick();
      sync.request({ reconcileProfiles: true });
      const beat = (): void => {
        for (const id of ids) session.post({ type: FRAME.heartbeat, payload: { runtime_id: id, supports_batch_import: true } });
      };
      beat();
      return ctx.clock.every(ctx.config.heartbeatIntervalMs, beat);
    },
    onFrame: (frame) => onFrame(parts, frame),
    onDisconnected: () => {
      if (link.connected) link.since = ctx.clock.now();
      link.connected = false;
      link.close = () => undefined;
      parts.rpc.disconnected();
      stamps.clear();
    },
  };
}

function onFrame(parts: FrameParts, frame: Frame): void {
  const payload = frame.payload ?? {};
  switch (frame.type) {
    case FRAME.taskAvailable: {
      const hint = taskAvailableSchema.safeParse(payload);
      if (hint.success) parts.claim.wake(hint.data.runtime_id || undefined);
      return;
    }
    case FRAME.heartbeatAck: {
      const ack = heartbeatAckSchema.safeParse(payload);
      if (!ack.success || ack.data.runtime_id === "") return;
      if (ack.data.runtime_gone === true) return parts.runtimeGone(ack.data.runtime_id);
      parts.stamps.stamp(ack.data.runtime_id);
      parts.rpc.acked(ack.data.server_capabilities ?? []);
      parts.actions.apply(ack.data.runtime_id, ack.data);
      return;
    }
    case FRAME.profilesChanged: {
      const hint = profilesChangedSchema.safeParse(payload);
      if (hint.success && hint.data.workspace_id !== "") refreshProfiles(parts, hint.data.workspace_id);
      return;
    }
    case FRAME.workspacesChanged:
      parts.sync.request({ reconcileProfiles: false });
      return;
    case FRAME.pendingWork: {
      const hint = pendingWorkSchema.safeParse(payload);
      if (hint.success) parts.pendingWork.hint(hint.data.runtime_id);
      return;
    }
    case FRAME.rpcResponse:
      return parts.rpc.onResponse(payload);
    default:
      // Unknown types are for newer daemons.
      return;
  }
}

function refreshProfiles(parts: FrameParts, workspaceId: string): void {
  parts.registrar.refreshProfiles(workspaceId).catch((error: unknown) => {
    if (!parts.ctx.rootSignal.aborted) parts.ctx.logger.debug("runtime profile refresh failed", { workspace: workspaceId, error: errorText(error) });
  });
}
