import { MulticaError, classifyFailure, errorText, isMulticaError } from "../../core/index.ts";

/** An error of a stage that knows its own reason; `reason` is a word of server-api.md 12.1. */
export function taskFailure(reason: string, text: string, cause?: unknown): MulticaError {
  return new MulticaError("task_failed", text, { details: { reason }, ...(cause === undefined ? {} : { cause }) });
}

/** A stage's error with the stage's own words in front, its reason read from the text later. */
export function stageError(stage: string, cause: unknown): MulticaError {
  if (isMulticaError(cause, "task_failed")) return cause;
  return new MulticaError("task_stage", stage, { cause });
}

/** The reason an error is reported with: its own, else what its text says (server-api.md 12.2). */
export function failureReason(error: unknown): string {
  const own = isMulticaError(error, "task_failed") ? error.details["reason"] : undefined;
  return typeof own === "string" && own !== "" ? own : classifyFailure(errorText(error));
}
