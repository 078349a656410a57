import type { AppContext } from "../../http/env.ts";

/** What the daemon says it understands; claims are shaped by these tokens, never by a version (server-api.md 1.4). */
export function capabilitiesOf(c: AppContext): ReadonlySet<string> {
  const header = c.req.header("x-client-capabilities") ?? "";
  return new Set(header.split(",").map((token) => token.trim()).filter((token) => token !== ""));
}
