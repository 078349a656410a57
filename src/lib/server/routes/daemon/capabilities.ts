import type { AppContext } from "../../http/env.ts";
import { parseCapabilities } from "../../services/daemon/claim-call.ts";

export function capabilitiesOf(c: AppContext): ReadonlySet<string> {
  return parseCapabilities(c.req.header("x-client-capabilities"));
}
