import { fencedText, quoteText, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { hasText } from "../kind.ts";
import { safeToken } from "./text.ts";

/** Characters. A webhook may be sent a megabyte, and some agents take their prompt as an argument, which the system limits. */
const MAX_PAYLOAD = 16_384;

/** A run that an autopilot started by itself: no issue stands behind it (daemon.md 12.5). */
export function autopilotPrompt(task: Task): string {
  const id = safeToken(task.autopilot_id);
  const facts = [`- Run: ${safeToken(task.autopilot_run_id)}`];
  if (id !== "") facts.push(`- Autopilot: ${id}`);
  if (hasText(task.autopilot_title)) facts.push(`- Title: ${safeName(task.autopilot_title)}`);
  if (hasText(task.autopilot_source)) facts.push(`- Source: ${safeName(task.autopilot_source)}`);
  const parts = ["You are a local coding agent of a Multica workspace. An autopilot started this run; no issue is assigned to it.", facts.join("\n")];
  const payload = payloadText(task.autopilot_trigger_payload);
  if (payload !== "") parts.push("What triggered it:", fencedText(payload.slice(0, MAX_PAYLOAD), "json"));
  if (payload.length > MAX_PAYLOAD && id !== "") parts.push(`It is longer than shown: \`multica autopilot runs ${id} --output json\` has all of it, as this run's \`trigger_payload\`.`);
  parts.push(instructions(task));
  if (id !== "") parts.push(`The autopilot's configuration: \`multica autopilot get ${id} --output json\`.`);
  parts.push("Carry the instructions out to the end; your last text is the result of the run.");
  return parts.join("\n\n");
}

function instructions(task: Task): string {
  const text = [task.autopilot_description, task.autopilot_title].find(hasText);
  if (text === undefined) return "It has no instructions of its own: inspect the autopilot's configuration and do what follows from it.";
  return `Its instructions:\n\n${quoteText(text.trim())}`;
}

function payloadText(payload: unknown): string {
  if (payload === undefined || payload === null) return "";
  return (typeof payload === "string" ? payload : JSON.stringify(payload, null, 2)).trim();
}
