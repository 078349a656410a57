import { z } from "zod";

export const PROPERTY_TYPES = ["text", "number", "select", "multi_select", "date", "checkbox", "url", "actor", "multi_actor"] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

const optionSchema = z.looseObject({ id: z.string().optional(), name: z.string(), color: z.string().optional() });
const configSchema = z.looseObject({ options: z.array(optionSchema).optional() });

/** Create and partial update of a custom property (server-api.md 13.4). */
export const propertyInputSchema = z.looseObject({
  name: z.string().optional(),
  type: z.string().optional(),
  description: z.string().nullish(),
  icon: z.string().nullish(),
  config: configSchema.nullish(),
  archived: z.boolean().optional(),
});
export type PropertyInput = z.infer<typeof propertyInputSchema>;

/** `PUT /api/issues/{id}/properties/{propertyId}` (server-api.md 13.4). */
export const propertyValueSchema = z.looseObject({ value: z.unknown().optional() });
