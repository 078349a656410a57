import {
  localSkillImportResultSchema,
  localSkillsResultSchema,
  modelListResultSchema,
  resolveBundlesSchema,
  updateResultSchema,
} from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { notFound } from "../../http-error.ts";
import type { RequestKind, RuntimeRequestRow, RuntimeRow } from "../../rows/index.ts";
import { requireRuntime, requireTask } from "../../services/daemon/access.ts";
import { reportImport, reportLocalSkills, reportModels, reportUpdate } from "../../services/requests/results.ts";
import { loadRequest } from "../../services/requests/store.ts";
import { resolveBundles } from "../../services/skills/bundles.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

/** What daemons answer to requests that a heartbeat gave them (server-api.md 9), and the skills they fetch (7.3). */
export function requestRoutes(app: App, ctx: ServerContext): void {
  const base = "/api/daemon/runtimes/:runtimeId";
  const report = (c: AppContext, kind: RequestKind, work: (tx: Tx, row: RuntimeRequestRow, runtime: RuntimeRow) => void): Response => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId") ?? "");
    const id = uuidOf(c.req.param("requestId"), kind === "update" ? "update_id" : "request_id");
    inTransaction(ctx, (tx) => work(tx, loadRequest(tx, runtime.id, kind, id), runtime));
    return json({ status: "ok" });
  };

  app.post(`${base}/update/:requestId/result`, async (c) => {
    const body = await readBody(c, updateResultSchema);
    return report(c, "update", (tx, row) => reportUpdate(tx, row, body));
  });
  app.post(`${base}/models/:requestId/result`, async (c) => {
    const body = await readBody(c, modelListResultSchema);
    return report(c, "models", (tx, row) => reportModels(tx, row, body));
  });
  app.post(`${base}/local-skills/:requestId/result`, async (c) => {
    const body = await readBody(c, localSkillsResultSchema);
    return report(c, "local_skills", (tx, row) => reportLocalSkills(tx, row, body));
  });
  app.post(`${base}/local-skills/import/:requestId/result`, async (c) => {
    const body = await readBody(c, localSkillImportResultSchema);
    return report(c, "skill_import", (tx, row, runtime) => reportImport(tx, runtime, row, body));
  });

  app.post(`${base}/tasks/:taskId/skill-bundles/resolve`, async (c) => {
    const runtime = requireRuntime(ctx, c.get("principal"), c.req.param("runtimeId"));
    const task = requireTask(ctx, c.get("principal"), c.req.param("taskId"));
    if (task.runtime_id !== runtime.id) throw notFound("task");
    const { skills } = await readBody(c, resolveBundlesSchema);
    return json({ bundles: inTransaction(ctx, (tx) => resolveBundles(tx, task, skills)) });
  });
}
