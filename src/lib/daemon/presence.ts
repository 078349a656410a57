import { ModelCatalog } from "../agents/index.ts";
import type { HttpOptions } from "../api/index.ts";
import { type ConnectionPool, useEnvironmentProxies } from "../platform/connections.ts";
import type { PendingActions } from "../wire/index.ts";
import { AckStamps } from "./ack-stamps.ts";
import { Actions } from "./actions/actions.ts";
import type { RequestUpdate } from "./actions/update.ts";
import { beatCall, dialCall } from "./calls.ts";
import type { DaemonContext } from "./context.ts";
import type { Discovery } from "./discovery.ts";
import type { ClaimLoop } from "./loops/claim.ts";
import { runHeartbeats } from "./loops/heartbeat.ts";
import { runSleepWatch } from "./loops/sleep.ts";
import { runSocket } from "./loops/socket.ts";
import type { SyncLoop } from "./loops/sync.ts";
import { PendingWork } from "./pending-work.ts";
import type { Registrar } from "./register.ts";
import type { RpcClient } from "./rpc.ts";
import { frameHandlers, type Link } from "./socket-frames.ts";

export interface PresenceParts {
  readonly ctx: DaemonContext;
  readonly home: string;
  readonly http: HttpOptions;
  readonly pool: ConnectionPool;
  readonly link: Link;
  readonly rpc: RpcClient;
  readonly claim: ClaimLoop;
  readonly sync: SyncLoop;
  readonly registrar: Registrar;
  readonly discovery: Pick<Discovery, "heal">;
  readonly requestUpdate: RequestUpdate;
  runtimeGone(runtimeId: string): void;
}

export interface Presence {
  readonly stamps: AckStamps;
  readonly actions: Actions;
  readonly loops: readonly { readonly name: string; readonly run: () => Promise<void> }[];
}

/** Everything that keeps the runtimes online and hears what the server wants (daemon.md 8, 9). */
export function createPresence(parts: PresenceParts): Presence {
  const { ctx, http, link, rpc, claim, sync, registrar, runtimeGone } = parts;
  useEnvironmentProxies(ctx.env);
  const stamps = new AckStamps(ctx.clock);
  const actions = new Actions({ ...ctx, home: parts.home, catalog: new ModelCatalog(), heal: (entry) => parts.discovery.heal(entry), requestUpdate: parts.requestUpdate });
  const call = beatCall(ctx);
  const beat: typeof call = async (id, signal, limit) => {
    const answer = await call(id, signal, limit);
    if (answer.kind === "ok") stamps.heard();
    return answer;
  };
  const onActions = (id: string, wanted: PendingActions): void => actions.apply(id, wanted);
  const hinted: typeof beat = async (id, signal, limit) => {
    const answer = await beat(id, signal, limit);
    if (answer.kind === "ok" && answer.actions !== undefined) onActions(id, answer.actions);
    return answer;
  };
  const pendingWork = new PendingWork({ ...ctx, beat: hinted, runtimeGone });
  const frames = frameHandlers({ ctx, link, stamps, sync, claim, registrar, rpc, actions, pendingWork, runtimeGone });
  const intervalMs = ctx.config.heartbeatIntervalMs;
  const renewConnections = atMostEvery(ctx, intervalMs, () => parts.pool.renew());
  const onWake = (): void => {
    stamps.clear();
    renewConnections();
    link.close();
    claim.wake();
  };
  return {
    stamps,
    actions,
    loops: [
      { name: "heartbeat", run: () => runHeartbeats({ ...ctx, intervalMs, stamps, beat, runtimeGone, onActions, renewConnections }) },
      { name: "sleep watch", run: () => runSleepWatch({ ...ctx, onWake }) },
      { name: "socket", run: () => runSocket({ ...ctx, ...frames, dial: dialCall(http, ctx) }) },
    ],
  };
}

/** All runtimes fail together when the network does: once is enough. */
function atMostEvery({ clock }: Pick<DaemonContext, "clock">, ms: number, run: () => void): () => void {
  let last: number | undefined;
  return () => {
    if (last !== undefined && clock.monotonic() - last < ms) return;
    last = clock.monotonic();
    run();
  };
}
