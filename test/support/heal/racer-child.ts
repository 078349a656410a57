// Heals, reuses or prepares environments, one order a line on standard input, one answer a line: for races.
import { createInterface } from "node:readline";
import { type PrepareInput, type ReuseInput, healEnvironment, prepareEnvironment, reuseEnvironment } from "../../../src/lib/execenv/index.ts";
import { errorText, isMulticaError } from "../../../src/lib/core/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { RaceOrder } from "./racer.ts";

async function run(order: RaceOrder): Promise<string> {
  if (order.do === "heal") {
    const { root, workspaces, home } = order.patient;
    const report = await healEnvironment({ root, workspacesRoot: workspaces, host: { env: {}, home, platform: "linux" }, now: () => Date.now(), logger: silentLogger }, order.options);
    const odd = report.findings.filter((one) => one.status === "failed" || (one.code === "CHECK_FAILED" && report.status !== "busy"));
    return odd.length === 0 && report.error === null ? report.status : `${report.status}: ${report.error ?? odd.map((one) => `${one.code} ${one.path} ${one.error ?? one.actual}`).join("; ")}`;
  }
  let reason = "";
  const logger = { ...silentLogger, info: (_message: string, fields: { reason?: string } = {}) => void (reason = fields.reason ?? reason) };
  const facts = { now: () => Date.now(), logger };
  const environment = order.do === "prepare" ? await prepareEnvironment({ ...(order.input as PrepareInput), ...facts }) : await reuseEnvironment({ ...(order.input as ReuseInput), ...facts });
  if (environment === null) return `declined: ${reason}`;
  environment.release();
  return order.do === "prepare" ? "prepared" : "reused";
}

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await run(JSON.parse(line) as RaceOrder).catch((error: unknown) => (isMulticaError(error) ? error.code : errorText(error)));
  process.stdout.write(`${answer}\n`);
}
