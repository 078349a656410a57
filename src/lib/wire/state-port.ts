import { z } from "zod";

/** `POST /state/backfill` of the daemon's local port (state-db.md 19). */
export const stateBackfillSchema = z.looseObject({
  /** Real paths of homes; all that are known unless given. */
  homes: z.array(z.string()).optional(),
  force: z.boolean().default(false),
});
export type StateBackfillRequest = z.input<typeof stateBackfillSchema>;

/** `POST /state/check`. */
export const stateCheckSchema = z.looseObject({
  full: z.boolean().default(false),
  all: z.boolean().default(false),
  /** Makes the index anew when something is wrong with it; the state file is left alone. */
  repair_index: z.boolean().default(false),
});
export type StateCheckRequest = z.input<typeof stateCheckSchema>;

/** `GET /state/jobs/{id}`: work that takes longer than a request. */
export interface StateJob {
  readonly id: string;
  readonly status: "running" | "done" | "failed";
  /** When done. */
  readonly result?: unknown;
  /** When failed. */
  readonly error?: { readonly code: string; readonly message: string };
}
