import type { Health } from "../wire/index.ts";
import type { AckStamps } from "./ack-stamps.ts";
import type { Actions } from "./actions/actions.ts";
import type { DaemonContext } from "./context.ts";
import type { Holds } from "./holds.ts";
import type { ClaimLoop } from "./loops/claim.ts";
import type { QueueView } from "./queue.ts";
import type { Registrar } from "./register.ts";
import type { RpcClient } from "./rpc.ts";
import type { Link } from "./socket-frames.ts";

export interface PresenceFacts extends Pick<DaemonContext, "runtimes" | "slots"> {
  readonly link: Pick<Link, "connected" | "since">;
  readonly stamps: Pick<AckStamps, "lastAt">;
  readonly rpc: Pick<RpcClient, "ready">;
  readonly claim: Pick<ClaimLoop, "mode">;
  readonly queue: Pick<QueueView, "snapshot">;
  readonly holds: Pick<Holds, "list">;
  readonly actions: Pick<Actions, "flags">;
  readonly registrar: Pick<Registrar, "mayClaim">;
}

/**
 * `link`: the socket, since when it is as it is, and how work is asked for. `parked`: what takes no task for now, and why: kept
 * back until old results are delivered, or offline for its program. `feature_flags`: the switches an older server sent; nothing
 * here depends on one, so they are shown and no more.
 */
export type PresenceHealth = Pick<Health, "link" | "last_heartbeat_at" | "slots" | "queue" | "parked" | "feature_flags">;

/** The part of `/health` about the link to the server and what waits; from memory only. */
export function presenceOf(facts: PresenceFacts): PresenceHealth {
  const { link, slots, runtimes } = facts;
  const { tasks, ...queue } = facts.queue.snapshot();
  const { flags } = facts.actions;
  const recovering = runtimes.ids().filter((id) => !facts.registrar.mayClaim(id));
  return {
    link: { connected: link.connected, since: isoOrNull(link.since), claims: facts.claim.mode === "single" ? "single" : facts.rpc.ready ? "socket" : "batch" },
    last_heartbeat_at: isoOrNull(facts.stamps.lastAt),
    slots: { total: slots.count, free: slots.freeCount },
    queue: { ...queue, tasks: tasks.map((task) => ({ ...task })) },
    parked: [
      ...recovering.map((id) => ({ runtime_id: id, provider: runtimes.get(id)?.provider ?? "", reason: "results of an earlier run are delivered first" })),
      ...facts.holds.list().map(({ provider, evidence }) => ({ provider, reason: evidence })),
    ],
    ...(flags === null ? {} : { feature_flags: { version: flags.version, flags: { ...flags.flags } } }),
  };
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
