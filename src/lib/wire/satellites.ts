import { z } from "zod";

/** Create and partial update of a label (server-api.md 13.4). */
export const labelInputSchema = z.looseObject({
  name: z.string().optional(),
  color: z.string().optional(),
  description: z.string().nullish(),
  resource_type: z.string().optional(),
});

/** `POST /api/issues/{id}/labels` (server-api.md 13.4). */
export const labelAttachSchema = z.looseObject({ label_id: z.string() });

/** `subscribe` and `unsubscribe`; without a user it is about the caller (server-api.md 13.4). */
export const subscriberInputSchema = z.looseObject({
  user_id: z.string().optional(),
  user_type: z.enum(["member", "agent"]).optional(),
});

/** `PUT /api/issues/{id}/metadata/{key}` (server-api.md 13.4). */
export const metadataInputSchema = z.looseObject({ value: z.unknown().optional() });

/** `<data dir>/server.json`: where the running embedded server is (embedded-server.md). */
export const serverFileSchema = z.looseObject({
  pid: z.number().int().positive(),
  port: z.number().int(),
  url: z.string(),
  started_at: z.string(),
  // Tells the process from a later one that was given the same pid.
  identity: z.object({ pid: z.number(), startKey: z.string(), bootId: z.string() }).nullish(),
});
export type ServerFile = z.infer<typeof serverFileSchema>;
