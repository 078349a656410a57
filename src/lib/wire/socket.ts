import { z } from "zod";
import { pendingActionsShape } from "./pending.ts";

/** Every frame: `{type, payload}`; unknown types are ignored by both sides (server-api.md 10.2). */
export const frameSchema = z.looseObject({ type: z.string(), payload: z.looseObject({}).nullish() });
export type Frame = z.infer<typeof frameSchema>;

export const FRAME = {
  heartbeat: "daemon:heartbeat",
  heartbeatAck: "daemon:heartbeat_ack",
  taskAvailable: "daemon:task_available",
  profilesChanged: "daemon:runtime_profiles_changed",
  workspacesChanged: "daemon:workspaces_changed",
  pendingWork: "daemon:pending_work",
  rpcRequest: "daemon:rpc_request",
  rpcResponse: "daemon:rpc_response",
} as const;

export const heartbeatPayloadSchema = z.looseObject({
  runtime_id: z.string(),
  supports_batch_import: z.boolean().optional(),
});
export const heartbeatAckSchema = z.looseObject({
  runtime_id: z.string(),
  status: z.string(),
  runtime_gone: z.boolean().nullish(),
  server_capabilities: z.array(z.string()).nullish(),
  ...pendingActionsShape,
});
export const taskAvailableSchema = z.looseObject({ runtime_id: z.string().nullish(), task_id: z.string().nullish() });
export const profilesChangedSchema = z.looseObject({
  workspace_id: z.string(),
  runtime_profile_id: z.string().nullish(),
});
/** A hint that a request waits for the runtime's next heartbeat; every `kind` is treated alike (server-api.md 10.5). */
export const pendingWorkSchema = z.looseObject({ runtime_id: z.string(), kind: z.string().nullish() });

/** Calls over the socket, once an ack of the same connection named the capability (server-api.md 10.6). */
export const RPC_CAPABILITY = "rpc-v1";
export const RPC_CLAIM = "tasks.claim";
export const rpcRequestSchema = z.looseObject({
  request_id: z.string(),
  method: z.string(),
  body: z.unknown().optional(),
  timeout_ms: z.number().nullish(),
});
export type RpcRequest = z.infer<typeof rpcRequestSchema>;
export const rpcResponseSchema = z.looseObject({
  request_id: z.string(),
  status: z.number(),
  body: z.unknown().optional(),
  error: z.string().nullish(),
});
export type RpcResponse = z.infer<typeof rpcResponseSchema>;

/** Limits and times of the socket (server-api.md 10.3), milliseconds and bytes. */
export const SOCKET_LIMITS = {
  pingMs: 54_000,
  readMs: 60_000,
  writeMs: 10_000,
  handshakeMs: 10_000,
  serverMaxBytes: 64 * 1024,
  clientMaxBytes: 64 * 1024 * 1024,
  serverQueue: 16,
  /** Calls that may be under way on one connection. */
  rpcInFlight: 8,
} as const;
