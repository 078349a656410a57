import { errorText } from "../core/index.ts";
import { FRAME, type Frame, heartbeatAckSchema, profilesChangedSchema, taskAvailableSchema } from "../wire/index.ts";
import type { AckStamps } from "./ack-stamps.ts";
import type { DaemonContext } from "./context.ts";
import type { ClaimLoop } from "./loops/claim.ts";
import type { SocketParts } from "./loops/socket.ts";
import type { SyncLoop } from "./loops/sync.ts";
import type { Registrar } from "./register.ts";

export interface FrameParts {
  readonly ctx: DaemonContext;
  /** Shared with the sync loop: hints cannot arrive without a connection. */
  readonly link: { connected: boolean };
  readonly stamps: AckStamps;
  readonly sync: SyncLoop;
  readonly claim: ClaimLoop;
  readonly registrar: Registrar;
  readonly runtimeGone: (id: string) => void;
}

/** What the daemon does when the socket opens, brings a frame, or is lost (daemon.md 9.1, 9.3). */
export function frameHandlers(parts: FrameParts): Pick<SocketParts, "onConnected" | "onFrame" | "onDisconnected"> {
  const { ctx, link, stamps, sync, claim } = parts;
  return {
    onConnected: (send, ids) => {
      link.connected = true;
      // The server may have been upgraded, and everything told by hints may be stale.
      claim.resetMode();
      claim.wake();
      ctx.reconcile.broadcast();
      ctx.outbox?.kick();
      sync.request({ reconcileProfiles: true });
      const beat = (): void => {
        for (const id of ids) send({ type: FRAME.heartbeat, payload: { runtime_id: id, supports_batch_import: true } });
      };
      beat();
      return ctx.clock.every(ctx.config.heartbeatIntervalMs, beat);
    },
    onFrame: (frame) => onFrame(parts, frame),
    onDisconnected: () => {
      link.connected = false;
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
      if (ack.data.runtime_gone === true) parts.runtimeGone(ack.data.runtime_id);
      else parts.stamps.stamp(ack.data.runtime_id);
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
