import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { type Witness, brokenPromise } from "./promise.ts";

interface TaskFacts {
  readonly id: string;
  readonly issue: string;
  readonly status: string;
  readonly reason: string | null;
  readonly error: string | null;
}

/** What an agent wrote down of one task. */
interface AgentLog {
  readonly text: string;
  readonly tools: number;
  readonly success: boolean;
  /** When the agent said so, epoch milliseconds; 0 = it did not. */
  readonly at: number;
}

export interface Findings {
  /** Every promise that was broken, in words; empty when all were kept. */
  readonly broken: string[];
  /** Tasks by status and, for failures, by cause. */
  readonly counts: Record<string, number>;
  readonly messages: number;
  readonly successes: number;
  /** Successes that a later attempt repeated. */
  readonly redone: number;
  /**
   * For each of them: milliseconds from the agent's word to the death of its daemon; negative = nobody was there to read it.
   * What was read is written down at once; what remains is a daemon that died too soon or was starved, or whose disk failed at
   * that moment. Anything else is among the broken promises.
   */
  readonly gaps: readonly number[];
  readonly endings: number;
}

/** Compares what the server has with what the agents wrote down themselves. */
export function examine(serverDir: string, logDir: string, witness: Witness): Findings {
  const db = openDatabase(join(serverDir, "server.sqlite"), { readOnly: true });
  try {
    const tasks = db.prepare("SELECT id, issue_id AS issue, status, failure_reason AS reason, error FROM task ORDER BY created_at, rowid").all() as unknown as TaskFacts[];
    const logs = new Map(readdirSync(logDir).map((name) => [name.replace(".jsonl", ""), readLog(join(logDir, name))] as const));
    const gaps: number[] = [];
    const findings: Findings & { messages: number; successes: number; redone: number } = { broken: [], counts: {}, messages: 0, successes: 0, redone: 0, gaps, endings: 0 };
    for (const task of tasks) {
      const key = task.status === "failed" ? `failed: ${causeOf(task)}` : task.status;
      findings.counts[key] = (findings.counts[key] ?? 0) + 1;
      const rows = db.prepare("SELECT seq, type, content FROM audit_message WHERE task_id = :id ORDER BY id").all({ id: task.id });
      findings.messages += rows.length;
      checkMessages(task, rows, logs.get(task.id), findings.broken);
      if (logs.get(task.id)?.success !== true) continue;
      findings.successes += 1;
      if (task.status === "completed") continue;
      const repeated = tasks.some((other) => other.issue === task.issue && other.status === "completed");
      if (repeated) {
        findings.redone += 1;
        const at = logs.get(task.id)?.at ?? 0;
        gaps.push(gapOf(at, witness.deaths));
        const why = brokenPromise(task.id, at, witness);
        if (why !== null) findings.broken.push(`task ${task.id} (${task.reason ?? task.status}): its success was done again: ${why}`);
      } else findings.broken.push(`task ${task.id}: its agent succeeded, it ended as ${task.status} (${task.reason ?? ""}) and nothing completed the issue`);
    }
    const endings = db.prepare("SELECT task_id, kind, before, after, reason FROM audit_ending ORDER BY id").all();
    checkEndings(tasks, endings, findings.broken);
    return { ...findings, endings: endings.length };
  } finally {
    db.close();
  }
}

/** Reason and the first words of the error, without what differs from task to task. */
function causeOf({ reason, error }: TaskFacts): string {
  const words = (error ?? "").split("\n", 1)[0]?.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|https?:[^\s)]+/g, "…") ?? "";
  return `${reason ?? "?"}: ${words.slice(0, 140)}`;
}

/** Negative when the daemon had died before, else how long it had lived on. */
function gapOf(at: number, deaths: readonly number[]): number {
  const before = deaths.filter((death) => death < at).at(-1);
  const after = deaths.find((death) => death >= at) ?? Number.POSITIVE_INFINITY;
  // An agent outlives its daemon by seconds at most: the next one ends it.
  return before !== undefined && at - before < after - at ? before - at : after - at;
}

function readLog(path: string): AgentLog {
  const entries = readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { text?: string; tool?: string; end?: string; at?: number });
  return {
    text: entries.map((entry) => entry.text ?? "").join(""),
    tools: entries.filter((entry) => entry.tool !== undefined).length,
    success: entries.some((entry) => entry.end === "end_turn"),
    at: entries.find((entry) => entry.end === "end_turn")?.at ?? 0,
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Once, in order, without holes; all of them when the task was completed, else a beginning of them. */
function checkMessages(task: TaskFacts, rows: readonly Row[], log: AgentLog | undefined, broken: string[]): void {
  const seqs = rows.map((row) => Number(row["seq"]));
  const wrong = seqs.findIndex((seq, index) => seq !== index + 1);
  if (wrong !== -1) broken.push(`task ${task.id} (${task.status}): message ${seqs[wrong] ?? "?"} arrived in place ${wrong + 1} of ${seqs.length}`);
  const text = rows.filter((row) => row["type"] === "text").map((row) => String(row["content"])).join("");
  const tools = rows.filter((row) => row["type"] === "tool_use").length;
  if (log === undefined) {
    if (rows.length > 0) broken.push(`task ${task.id}: messages without an agent`);
    return;
  }
  if (task.status === "completed" && (text !== log.text || tools !== log.tools)) {
    broken.push(`task ${task.id}: the agent said ${log.text.length} characters and used ${log.tools} tools, the server has ${text.length} and ${tools}`);
  }
  if (task.status !== "completed" && !log.text.startsWith(text)) broken.push(`task ${task.id}: the server's text is no beginning of the agent's`);
}

/** One ending a task, taken while it ran: no second one, and none that came when the server had given the task up. */
function checkEndings(tasks: readonly TaskFacts[], endings: readonly Row[], broken: string[]): void {
  const taken = new Map<string, number>();
  for (const { task_id: id, kind, before, reason } of endings) {
    taken.set(String(id), (taken.get(String(id)) ?? 0) + 1);
    if (before === "completed" || before === "failed" || before === "cancelled") broken.push(`task ${String(id)}: ${String(kind)} came when it was ${String(before)} (${String(reason)})`);
  }
  for (const task of tasks) {
    if (task.status === "completed" && taken.get(task.id) !== 1) broken.push(`task ${task.id}: completed by ${taken.get(task.id) ?? 0} reports`);
  }
}
