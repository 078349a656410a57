import type { z } from "zod";
import type { claimRequestSchema } from "../../../wire/index.ts";
import type { Principal } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { claimBatch } from "../tasks/claim.ts";
import type { ClaimedTask } from "../tasks/claim-payload.ts";
import { findRuntime } from "./access.ts";

/** A batch claim as both transports take it (server-api.md 5.2, 10.6). Runtimes of strangers are skipped. */
export function claimForDaemon(
  ctx: ServerContext,
  principal: Principal,
  request: z.infer<typeof claimRequestSchema>,
  capabilities: ReadonlySet<string>,
): { tasks: ClaimedTask[] } {
  if (request.daemon_id === "") throw badRequest("daemon_id is required");
  if (request.max_tasks < 0) throw badRequest("max_tasks must not be negative");
  if (principal.kind === "daemon" && principal.daemonId !== undefined && principal.daemonId !== request.daemon_id) {
    throw new HttpError(403, "daemon_id does not match token");
  }
  const runtimes = request.runtime_ids.flatMap((id) => findRuntime(ctx, principal, id)?.id ?? []);
  return { tasks: claimBatch(ctx, runtimes, request.max_tasks, capabilities) };
}

/** What a daemon says it understands; claims are shaped by these tokens, never by a version (server-api.md 1.4). */
export function parseCapabilities(header: string | undefined): ReadonlySet<string> {
  return new Set((header ?? "").split(",").map((token) => token.trim()).filter((token) => token !== ""));
}
