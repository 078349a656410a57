import { join } from "node:path";
import { asString, isObject, parseJson } from "../core/index.ts";
import { writeFileAtomic } from "../platform/index.ts";
import { readPlain } from "./refs-text.ts";

/** Whose a checkout is; kept in its git directory, so that it goes when that goes. */
export interface CheckoutRecord {
  readonly taskId: string;
  /** The revision that was asked for; empty: the default. */
  readonly ref: string;
}

const NAME = "multica.json";

/** What was noted, or undefined: an agent can write there, so it decides about comfort, never about safety. */
export function readRecord(gitDir: string): CheckoutRecord | undefined {
  const value = parseJson(readPlain(join(gitDir, NAME)) ?? "");
  if (!isObject(value) || asString(value["task_id"]) === "") return undefined;
  return { taskId: asString(value["task_id"]), ref: asString(value["ref"]) };
}

export async function writeRecord(gitDir: string, record: CheckoutRecord): Promise<void> {
  await writeFileAtomic(join(gitDir, NAME), `${JSON.stringify({ task_id: record.taskId, ref: record.ref })}\n`, { durable: false });
}
