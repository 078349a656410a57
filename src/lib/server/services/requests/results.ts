import type { z } from "zod";
import type {
  localSkillImportResultSchema,
  localSkillsResultSchema,
  modelListResultSchema,
  updateResultSchema,
} from "../../../wire/index.ts";
import { badRequest } from "../../http-error.ts";
import type { RuntimeRequestRow, RuntimeRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { importSkill } from "./import.ts";
import { settleRequest } from "./store.ts";

// A report on a request that has ended is accepted and changes nothing (server-api.md 9): `settleRequest` sees to it.

/** server-api.md 9.1. `running` only renews the daemon's time. */
export function reportUpdate(tx: Tx, row: RuntimeRequestRow, report: z.infer<typeof updateResultSchema>): void {
  if (report.status !== "running") ended(report.status);
  const output = report.output ? { output: report.output } : {};
  settleRequest(tx, row, { status: report.status as RuntimeRequestRow["status"], result: output, error: report.error ?? null });
}

/** server-api.md 9.2. */
export function reportModels(tx: Tx, row: RuntimeRequestRow, report: z.infer<typeof modelListResultSchema>): void {
  const status = ended(report.status);
  const fallback = report.fallback === true ? { fallback: true } : {};
  const result = status === "completed" ? { models: report.models ?? [], supported: report.supported, ...fallback } : { supported: report.supported };
  settleRequest(tx, row, { status, result, error: report.error ?? null });
}

/** server-api.md 9.3. */
export function reportLocalSkills(tx: Tx, row: RuntimeRequestRow, report: z.infer<typeof localSkillsResultSchema>): void {
  const status = ended(report.status);
  const mcp = report.mcp_supported === undefined || report.mcp_supported === null ? {} : { mcp_supported: report.mcp_supported, mcp_servers: report.mcp_servers ?? [] };
  const found = status === "completed" ? { skills: report.skills ?? [] } : {};
  settleRequest(tx, row, { status, result: { ...found, supported: report.supported, ...mcp }, error: report.error ?? null });
}

/** server-api.md 9.4: what came in becomes a skill of the workspace, in the transaction that ends the request. */
export function reportImport(tx: Tx, runtime: RuntimeRow, row: RuntimeRequestRow, report: z.infer<typeof localSkillImportResultSchema>): void {
  const status = ended(report.status);
  if (row.status !== "pending" && row.status !== "running") return;
  if (status === "failed") {
    settleRequest(tx, row, { status, error: report.error || "the daemon could not read the skill" });
    return;
  }
  if (report.skill === undefined || report.skill === null) throw badRequest("invalid request body");
  settleRequest(tx, row, importSkill(tx, runtime, row, report.skill));
}

function ended(status: string): "completed" | "failed" {
  if (status === "completed" || status === "failed") return status;
  throw badRequest(`invalid status: ${status}`);
}
