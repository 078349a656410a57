import { classifyFailure, parseJson, redactText } from "../../core/index.ts";
import { cutBytes } from "../task/cut.ts";

const ERROR_BYTES = 16 * 1024;

/** The `fail` that takes the place of a `complete` the server will never take: everything known of the run goes along. */
export function failInstead(completeBody: string, error: string): string {
  const { output: _output, pr_url: _url, ...facts } = (parseJson(completeBody) ?? {}) as Record<string, unknown>;
  const text = `complete task failed: ${error}`;
  return JSON.stringify({ error: cutBytes(redactText(text), ERROR_BYTES), failure_reason: classifyFailure(text), ...facts });
}
