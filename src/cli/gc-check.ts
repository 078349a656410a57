import type { RunContext } from "../lib/config/index.ts";
import { type GcAsk, createGcAsk } from "../lib/api/gc-check.ts";
import { openSession } from "./session.ts";

/** Asks the server whether parents still need their directories (server-api.md 8). Throws when nobody is signed in. */
export function openGcCheck(context: RunContext): GcAsk {
  return createGcAsk(openSession(context).http);
}
