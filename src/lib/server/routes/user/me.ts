import { userPatchSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { update } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { readBody } from "../../http/body.ts";
import type { App } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { requireHuman } from "../../http/scope.ts";
import { userWire } from "../../rows/index.ts";
import { loadUser, sessionFor } from "../../services/account.ts";
import { inTransaction } from "../../transaction.ts";

const LANGUAGES = ["en", "zh-Hans", "ko", "ja"];

/** The signed-in user (server-api.md 13.1.4) and session tokens for the browser sign-in (13.1.2). */
export function meRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/me", (c) => json(userWire(loadUser(ctx.db, c.get("principal").userId))));

  app.patch("/api/me", async (c) => {
    requireHuman(c);
    const input = await readBody(c, userPatchSchema);
    const patch: Record<string, string | number | null> = {};
    if (input.name !== undefined) {
      patch["name"] = input.name.trim();
      if (patch["name"] === "") throw badRequest("name is required");
    }
    if (input.avatar_url !== undefined) patch["avatar_url"] = input.avatar_url;
    if (input.language !== undefined) {
      if (input.language !== null && !LANGUAGES.includes(input.language)) throw badRequest("unsupported language");
      patch["language"] = input.language;
    }
    if (input.profile_description !== undefined) {
      const text = input.profile_description ?? "";
      if ([...text].length > 2000) throw badRequest("profile_description exceeds 2000 characters");
      patch["profile_description"] = text;
    }
    if (input.timezone !== undefined) {
      if (input.timezone !== null && !isTimezone(input.timezone)) throw badRequest("invalid timezone");
      patch["timezone"] = input.timezone;
    }
    const { userId } = c.get("principal");
    const row = inTransaction(ctx, (tx) => {
      update(tx.db, "user", userId, { ...patch, updated_at: tx.now });
      return loadUser(tx.db, userId);
    });
    return json(userWire(row));
  });

  app.post("/api/cli-token", (c) => {
    requireHuman(c);
    return json({ token: sessionFor(ctx, loadUser(ctx.db, c.get("principal").userId)) });
  });
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
