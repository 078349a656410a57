import { shortIds } from "../lib/core/index.ts";
import type { Autopilot, AutopilotRun, AutopilotTrigger } from "../lib/wire/index.ts";
import type { NameOf } from "./issues.ts";
import { pairsText, tableText, timeText } from "./table.ts";

/** `autopilot list`. */
export function autopilotTable(autopilots: readonly Autopilot[], fullId: boolean, nameOf: NameOf): string {
  const short = shortIds(autopilots.map((one) => one.id));
  return tableText(
    ["ID", "TITLE", "STATUS", "MODE", "ASSIGNEE", "LAST_RUN"],
    autopilots.map((one) => [fullId ? one.id : short(one.id), one.title, one.status, one.execution_mode, nameOf(one.assignee_type, one.assignee_id), timeText(one.last_run_at, 16)]),
  );
}

/** `autopilot get --output table` and what changes of an autopilot show. */
export function autopilotDetails(one: Autopilot, triggers: readonly AutopilotTrigger[], nameOf: NameOf): string {
  const facts = pairsText([
    ["ID", one.id],
    ["TITLE", one.title],
    ["STATUS", one.status],
    ["MODE", one.execution_mode],
    ["ASSIGNEE", nameOf(one.assignee_type, one.assignee_id)],
    ["LAST RUN", timeText(one.last_run_at, 16)],
    ["NEXT RUN", timeText(one.next_run_at, 16)],
    ["DESCRIPTION", one.description],
  ]);
  return triggers.length === 0 ? facts : `${facts}\n${triggerTable(triggers)}`;
}

/** Triggers of an autopilot. */
export function triggerTable(triggers: readonly AutopilotTrigger[]): string {
  return tableText(
    ["TRIGGER ID", "KIND", "ENABLED", "CRON", "TIMEZONE", "NEXT_RUN", "LABEL"],
    triggers.map((one) => [one.id, one.kind, one.enabled, one.cron_expression, one.timezone, timeText(one.next_run_at, 16), one.label]),
  );
}

/** `autopilot runs`. */
export function autopilotRunTable(runs: readonly AutopilotRun[]): string {
  return tableText(
    ["ID", "SOURCE", "STATUS", "ISSUE", "TRIGGERED_AT", "COMPLETED_AT"],
    runs.map((run) => [run.id, run.source, run.status, run.issue_id, timeText(run.triggered_at, 16), timeText(run.completed_at, 16)]),
  );
}
