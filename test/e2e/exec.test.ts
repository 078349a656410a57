import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExecPort } from "../../src/lib/api/index.ts";
import { readOperatorToken } from "../../src/lib/daemon/files.ts";
import { findByEnv, processIdentity, sendSignal } from "../../src/lib/platform/index.ts";
import type { ExecOutput, ExecRecord, ExecStartedAnswer } from "../../src/lib/wire/index.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";

const COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done";

async function list(product: Product, ...args: string[]): Promise<ExecRecord[]> {
  return (await product.json<{ processes: ExecRecord[] }>(["exec", "list", ...args])).processes;
}

async function start(product: Product, flags: readonly string[], argv: readonly string[]): Promise<string> {
  const answer = JSON.parse((await product.run(["exec", "start", "--json", ...flags, "--", ...argv])).stdout) as ExecStartedAnswer;
  return answer.started_process_id;
}

async function killDaemon(product: Product): Promise<void> {
  const { pid } = product.daemonInfo();
  sendSignal(pid, "SIGKILL");
  await waitFor("the daemon to be gone", () => processIdentity(pid) === null);
}

function alive(record: ExecRecord | undefined): boolean {
  return record?.pid !== null && record?.pid !== undefined && findByEnv("MULTICA_EXEC_PROCESS_ID", record.process_id).some((entry) => entry.pid === record.pid);
}

/** Asserts that the numbers are 1, 2, 3 … without hole or repeat; answers how many there are. */
function counted(text: string): number {
  const numbers = text.trim().split("\n").map(Number);
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  return numbers.length;
}

// One product for all of them, each of which leaves no process behind; the daemon's end comes last.
let product: Product;
beforeAll(async () => {
  product = await keep(async () => {
    const made = new Product();
    await made.setUp();
    return made;
  });
}, 60_000);
afterAll(releaseKept, 60_000);

describe("exec commands", () => {
  it("start, show, type into, size, park, take up, end and forget a command", async () => {
    const waited = await product.run(["exec", "start", "--wait", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(waited).toMatchObject({ code: 7, stdout: "out\n" });
    expect(waited.stderr).toMatch(/^err\nprocess \d+ exited with code 7\n$/);
    expect((await product.run(["exec", "start", "--wait", "--", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
    expect((await product.run(["exec", "start", "--", "no-such-command"])).code).toBe(5);
    expect((await product.run(["exec", "start", "ls", "-l"])).code).toBe(2);
    expect((await product.run(["exec", "start"])).code).toBe(2);
    expect((await product.run(["exec", "read", "1"])).code).toBe(4);
    expect((await product.run(["exec", "read", "web"])).code).toBe(2);

    const begun = await product.run(["exec", "start", "--tty", "--label", "shell", "--yield", "300ms", "--env", "PS1=$ ", "--", "sh"]);
    expect(begun.code).toBe(0);
    const id = /process (\d+) running/.exec(begun.stderr)?.[1] ?? "";
    expect((await product.run(["exec", "resize", id, "132x50"])).code).toBe(0);
    const typed = await product.run(["exec", "write", id, "stty size; echo said-$((40+2))", "--enter", "--yield", "1s"]);
    expect(typed.stdout).toContain("50 132");
    expect(typed.stdout).toContain("said-42");
    await product.run(["exec", "write", id, "sleep 100", "--enter", "--no-read"]);
    const stopped = await product.run(["exec", "write", id, "--key", "ctrl-c", "--yield", "500ms"]);
    expect(stopped.stdout).toContain("^C");
    expect((await product.run(["exec", "write", id, "echo still-here", "--enter", "--yield", "500ms"])).stdout).toContain("still-here");

    expect(await product.json(["exec", "detach"])).toMatchObject({ thread_id: "op:default", process_count: 1, process_ids: [id] });
    expect(await product.json(["exec", "detach"])).toMatchObject({ process_count: 0, process_ids: [] });
    expect((await list(product))[0]).toMatchObject({ process_id: id, state: "detached", keep: true, label: "shell" });
    expect((await product.run(["exec", "reattach", "task:none"])).code).toBe(4);
    expect(await product.json(["exec", "reattach", "op:default", "--process", id])).toMatchObject({ reattached_count: 1, skipped_process_ids: [] });

    const killed = await product.run(["exec", "kill", id, "--grace", "500ms"]);
    expect(killed).toMatchObject({ code: 0, stdout: `Process ${id} ended.\n` });
    expect((await product.run(["exec", "kill", id])).stdout).toBe(`Process ${id} had ended already.\n`);
    expect((await product.run(["exec", "kill", "999999"])).code).toBe(4);
    const [over] = await list(product, "--all", "--state", "exited").then((all) => all.filter((record) => record.process_id === id));
    expect(over).toMatchObject({ state: "exited", reason: "terminated" });
    expect((await product.run(["exec", "logs", id])).stdout).toContain("still-here");

    expect((await product.run(["exec", "clean", "--all"])).code).toBe(2);
    expect((await product.run(["exec", "clean", "--finished", "--all", "--yes"])).code).toBe(0);
    expect(await list(product, "--all")).toEqual([]);
    expect((await product.run(["exec", "gc", "--dry-run"])).stdout).toBe("Nothing to collect.\n");
    expect((await product.run(["exec", "attach", "1"])).code).toBe(2);
  }, 60_000);

  it("give a person a real terminal, and take it away with Ctrl-] alone", async () => {
    const bin = join(import.meta.dirname, "..", "..", "bin", "run.js");
    const inner = await start(product, ["--tty", "--no-wait", "--env", "PS1=inner$ "], ["sh"]);
    // The terminal that attaches is itself one of ours: there is no other one in a test.
    const outer = await start(product, ["--tty", "--cols", "111", "--rows", "33", "--no-wait"], [process.execPath, bin, "exec", "attach", inner]);
    const port = createExecPort({ port: product.daemonInfo().port, token: readOperatorToken(product.stateDir) ?? "" });
    const viewer = { thread_id: "op:default", process_id: outer };
    let shown = "";
    const seen = (what: RegExp): Promise<boolean> =>
      waitFor(`the viewer to show ${what.source}`, async () => {
        shown += (await port.read(viewer, { yield_ms: 0 })).output;
        return what.test(shown);
      }, 20_000);
    let writes = 0;
    const type = async (text: string): Promise<void> => {
      shown = "";
      await port.write(viewer, { text, write_id: `w${(writes += 1)}`, read: false });
    };
    await seen(/inner\$ /);
    await type("stty size; echo via-$((1+1))\r");
    await seen(/33 111[\s\S]*via-2/);
    await type("sleep 50\r");
    await seen(/sleep 50/);
    await type("\x03");
    await seen(/\^C/);
    await type("\x1d");
    await seen(new RegExp(`Left process ${inner}; it runs on\\.`));
    await waitFor("the viewer to end", async () => (await list(product, "--all")).find((record) => record.process_id === outer)?.exit_code === 0);
    expect((await list(product)).map((record) => record.process_id)).toEqual([inner]);
    await port.kill({ ...viewer, process_id: inner }, { force: true });
  }, 60_000);
});

describe("an agent's commands", () => {
  it("outlive its task with --keep, are attached to the next one, which is told of them, and keep the environment from being deleted (Y11, Y15)", async () => {
    const runtime = await product.exampleRuntime();
    const api = product.api();
    const agent = await api.createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace" });
    const description = [
      `echo: run multica exec start --keep --label web --yield 300ms -- sh -c '${COUNTER}'`,
      "echo: run multica exec start --label plain --no-wait -- sleep 600",
      "echo: run multica exec read 1 && false || echo unknown-is-$?",
      "echo: run multica exec list op:default; echo foreign-is-$?",
      "echo: run multica daemon stop; echo stop-is-$?",
      "echo: run env -u MULTICA_TOKEN multica exec list; echo no-token-is-$?",
      "echo: run multica exec list --json",
    ].join("\n");
    const operators = await start(product, ["--no-wait"], ["sleep", "600"]);
    const issue = await api.createIssue({ title: "Serve", description, assignee_type: "agent", assignee_id: agent.id });
    const first = await product.waitForTask(issue);
    expect(first.status).toBe("completed");
    const said = JSON.stringify(await api.taskMessages(first.id));
    for (const word of ["unknown-is-4", "foreign-is-4", "stop-is-1", "no-token-is-3"]) expect(said).toContain(word);
    expect(said).not.toContain(`"process_id": "${operators}"`);

    const thread = `conv:${agent.id}:${issue.id}`;
    const [web] = await list(product, thread);
    expect(web).toMatchObject({ thread_id: thread, state: "detached", label: "web", keep: true, task_id: first.id });
    expect(await list(product, thread, "--all").then((all) => all.find((record) => record.label === "plain"))).toMatchObject({ state: "exited", reason: "shutdown" });
    expect(findByEnv("MULTICA_TASK_ID", first.id).map((entry) => entry.pid)).toContain(web?.pid);
    expect((await list(product, "--task", first.id)).map((record) => record.process_id)).toEqual([web?.process_id]);
    expect((await list(product, "--issue", issue.id)).map((record) => record.process_id)).toEqual([web?.process_id]);

    // The environment belongs to what works in it (Y15).
    const [env] = (await product.json<{ envs: { id: string }[] }>(["execenv", "list"])).envs;
    const clean = ["execenv", "clean", env?.id ?? "", "--yes", "--discard-work"];
    const refused = await product.run(clean);
    expect(refused).toMatchObject({ code: 7 });
    expect(refused.stdout).toContain("a command that outlived its task works in it");
    const id = web?.process_id ?? "";
    await api.updateIssue(issue.id, { description: ["echo: prompt", `echo: run multica exec logs ${id} | head -3`, "echo: run multica exec list"].join("\n") });
    await product.json(["issue", "rerun", issue.identifier]);
    const second = await product.waitForTask(issue, (task) => task.id !== first.id && task.status === "completed");
    const told = JSON.stringify(await api.taskMessages(second.id));
    expect(told).toContain("Processes that still run");
    expect(told).toMatch(new RegExp(`\`${id}\` \\(web\\)`));
    expect(told).toMatch(/attached +sh -c/);
    expect((await list(product, thread))[0]).toMatchObject({ process_id: id, pid: web?.pid, state: "detached" });

    expect((await product.run([...clean, "--force"])).code).toBe(0);
    expect(alive(web)).toBe(false);
    await waitFor("the daemon to know that it ended", async () => (await list(product)).every((record) => record.process_id === operators));
    expect((await list(product)).map((record) => record.process_id)).toEqual([operators]);
    expect((await product.run(["exec", "kill", operators])).code).toBe(0);
  }, 120_000);
});

describe("commands and the daemon's end", () => {
  it("survive the daemon: stop, restart and kill -9 (Y1, Y25, Y34)", async () => {
    const kept = await start(product, ["--keep", "--no-wait"], ["sh", "-c", COUNTER]);
    const plain = await start(product, ["--no-wait"], ["sh", "-c", COUNTER]);
    const before = await list(product);
    const of = (records: readonly ExecRecord[], id: string): ExecRecord | undefined => records.find((record) => record.process_id === id);

    await killDaemon(product);
    expect((await product.run(["exec", "list"])).code).toBe(6);
    const live = product.run(["exec", "logs", kept, "-f", "--json"]);
    const offline = counted((await product.run(["exec", "logs", kept])).stdout);
    expect(offline).toBeGreaterThan(1);
    // Without the state file the directories tell, and the next daemon with it takes over from that one.
    await product.json(["daemon", "start", "--port", "0", "--no-state"]);
    const adopted = await list(product);
    for (const id of [kept, plain]) {
      expect(of(adopted, id)).toMatchObject({ pid: of(before, id)?.pid, state: "attached", adopted: true });
      expect(counted((await product.run(["exec", "logs", id])).stdout)).toBeGreaterThan(offline);
    }
    const read = await product.json<ExecOutput>(["exec", "read", plain, "--yield", "0"]);
    expect(counted(read.output)).toBeGreaterThan(offline);

    await product.json(["daemon", "restart", "--port", "0"]);
    expect((await list(product)).map((record) => [record.process_id, record.pid]).sort()).toEqual(before.map((record) => [record.process_id, record.pid]).sort());
    expect(await product.json(["daemon", "status"])).toMatchObject({ exec_processes: { attached: 2, detached: 0 } });

    const stop = await product.run(["daemon", "stop"]);
    expect(stop.stderr).toContain("1 command runs on");
    expect([alive(of(before, kept)), alive(of(before, plain))]).toEqual([true, false]);
    await product.json(["daemon", "start", "--port", "0"]);
    expect(of(await list(product, "--all"), plain)).toMatchObject({ state: "exited", reason: "shutdown" });
    expect(of(await list(product), kept)?.pid).toBe(of(before, kept)?.pid);

    expect((await product.run(["daemon", "stop", "--exec", "terminate"])).stderr).not.toContain("on;");
    expect(alive(of(before, kept))).toBe(false);
    // The view that began while no daemon ran has seen everything, to the end.
    const viewed = (await live).stdout.trim().split("\n").map((line) => JSON.parse(line) as { kind: string; text?: string });
    expect(counted(viewed.map((event) => event.text ?? "").join(""))).toBeGreaterThan(offline);
    expect(viewed.at(-1)?.kind).toBe("closed");
    expect(readdirSync(join(product.stateDir, "exec")).length).toBeGreaterThan(0);
  }, 90_000);
});
