// The example agent with a log of its own: every piece of text, every tool call and the end of each turn is written down
// before the daemon can see it. `node agent.mjs <log dir> <agent script> [args…]`
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [logDir, script, ...args] = process.argv.slice(2);
const log = join(logDir, `${process.env.MULTICA_TASK_ID ?? "none"}.jsonl`);
const note = (entry) => appendFileSync(log, `${JSON.stringify(entry)}\n`);

const child = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
process.stdin.pipe(child.stdin);
child.stdin.on("error", () => {});
process.stdout.on("error", () => {});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));

createInterface({ input: child.stdout }).on("line", (line) => {
  try {
    const { params, result } = JSON.parse(line);
    const update = params?.update;
    if (update?.sessionUpdate === "agent_message_chunk") note({ text: update.content.text });
    if (update?.sessionUpdate === "tool_call") note({ tool: update.title });
    if (result?.stopReason !== undefined) note({ end: result.stopReason, at: Date.now() });
  } catch {
    // Not a message of the protocol (`--version`).
  }
  process.stdout.write(`${line}\n`);
});
