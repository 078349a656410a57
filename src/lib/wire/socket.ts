import { z } from "zod";

/** Every frame: `{type, payload}`; unknown types are ignored by both sides (server-api.md 10.2). */
export const frameSchema = z.looseObject({ type: z.string(), payload: z.looseObject({}).nullish() });
export type Frame = z.infer<typeof frameSchema>;

export const FRAME = {
  heartbeat: "daemon:heartbeat",
  heartbeatAck: "daemon:heartbeat_ack",
  taskAvailable: "daemon:task_available",
  profilesChanged: "daemon:runtime_profiles_changed",
  workspacesChanged: "daemon:workspaces_changed",
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
});
export const taskAvailableSchema = z.looseObject({ runtime_id: z.string().nullish(), task_id: z.string().nullish() });
export const profilesChangedSchema = z.looseObject({
  workspace_id: z.string(),
  runtime_profile_id: z.string().nullish(),
});

/** Limits and times of the socket (server-api.md 10.3), milliseconds and bytes. */
export const SOCKET_LIMITS = {
  pingMs: 54_000,
  readMs: 60_000,
  writeMs: 10_000,
  handshakeMs: 10_000,
  serverMaxBytes: 64 * 1024,
  clientMaxBytes: 64 * 1024 * 1024,
  serverQueue: 16,
} as const;
