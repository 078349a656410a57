import type { RunContext } from "../lib/config/index.ts";
import { asString, isObject } from "../lib/core/index.ts";
import { RequestError } from "../lib/api/errors.ts";
import type { GcParent, ParentAnswer } from "../lib/execenv/index.ts";
import { openSession } from "./session.ts";

const ROUTES: Readonly<Record<GcParent["kind"], string>> = {
  issue: "issues",
  chat: "chat-sessions",
  autopilot_run: "autopilot-runs",
  quick_create: "tasks",
};

/** Asks the server whether a parent still needs its directory (server-api.md 8). Throws when nobody is signed in. */
export function openGcCheck(context: RunContext): (parent: GcParent) => Promise<ParentAnswer> {
  const { http } = openSession(context);
  return async ({ kind, id }) => {
    try {
      const { body } = await http.request("GET", `/api/daemon/${ROUTES[kind]}/${encodeURIComponent(id)}/gc-check`);
      if (!isObject(body) || asString(body["status"]) === "") return { kind: "unknown" };
      const changed = Date.parse(asString(body[kind === "issue" || kind === "chat" ? "updated_at" : "completed_at"]));
      return { kind: "found", status: asString(body["status"]), changedAtMs: Number.isNaN(changed) ? null : changed };
    } catch (error) {
      // A server without this route says so in plain text: that is no word on the parent.
      if (error instanceof RequestError && error.status === 404 && error.body.startsWith("{")) return { kind: "not_found" };
      return { kind: "unknown" };
    }
  };
}
