import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../src/lib/platform/index.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { type CommandResult, Product } from "../support/product.ts";

/** One clear line on stderr (plus hints), nothing on stdout, the right exit code. */
function expectRefusal(result: CommandResult, code: number, text: RegExp): void {
  expect(result.stderr).toMatch(text);
  expect(result.stdout).toBe("");
  expect(result.code).toBe(code);
  expect(result.stderr).not.toMatch(/^\s+at .*\(/m);
}

let served: Product;
let working: Product;
let agentless: Product;

beforeAll(async () => {
  await keep(async () => {
    served = new Product();
    working = new Product();
    agentless = new Product({ env: { PATH: `${process.execPath.replace(/\/[^/]+$/, "")}:/usr/bin:/bin` } });
    await Promise.all([served.setUp({ daemon: false }), working.setUp(), agentless.setUp()]);
  });
}, 120_000);

afterAll(releaseKept, 60_000);

describe("bad input", () => {
  it("says which server cannot be reached (6)", async () => {
    const port = await freePort();
    const product = new Product({ env: { MULTICA_SERVER_URL: `http://127.0.0.1:${port}`, MULTICA_TOKEN: `mul_${"a".repeat(40)}` } });
    expectRefusal(await product.run(["issue", "get", "LOCA-1", "--workspace-id", "w"]), 6, /cannot connect/i);
  });

  it("says that no server is known and what to run (not signed in)", async () => {
    const product = new Product();
    const result = await product.run(["issue", "list"]);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/multica (login|setup)/);
  });

  it("refuses a wrong token (3), an unknown issue (4) and a repository outside the workspace", async () => {
    const product = served;
    const wrong = await product.run(["issue", "list"], { env: { MULTICA_TOKEN: `mul_${"0".repeat(40)}` } });
    expectRefusal(wrong, 3, /not signed in|expired|login/i);
    expectRefusal(await product.run(["issue", "get", "LOCA-999"]), 4, /not found/i);
    const login = await product.run(["login", "--token", `mul_${"0".repeat(40)}`, "--server-url", product.serverInfo().url]);
    expect(login.code).toBe(3);
  });

  it("refuses a second daemon (7) and a port that is taken (7), and leaves the first alone", async () => {
    const product = working;
    const before = product.daemonInfo();
    expectRefusal(await product.run(["daemon", "start"]), 7, /already running/i);
    expect(product.daemonInfo()).toEqual(before);

    const other = new Product({ home: product.home, profile: "other" });
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void busy.close());
    const address = busy.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    mkdirSync(other.stateDir, { recursive: true });
    writeFileSync(join(other.stateDir, "config.json"), JSON.stringify(product.settings()));
    expectRefusal(await other.run(["daemon", "start", "--port", String(port)]), 7, new RegExp(String(port)));
    expect(existsSync(join(other.stateDir, "daemon.json"))).toBe(false);
    expectRefusal(await other.run(["server", "start", "--port", String(port)]), 7, new RegExp(String(port)));
  });

  it("names a configuration file that cannot be read and leaves it as it is (1)", async () => {
    const product = new Product();
    mkdirSync(product.stateDir, { recursive: true });
    const path = join(product.stateDir, "config.json");
    writeFileSync(path, "{ not json");
    const result = await product.run(["issue", "list"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(path);
    expect(readFileSync(path, "utf8")).toBe("{ not json");
  });

  it("refuses to start with a log that cannot be written (1), daemon and server alike", async () => {
    const product = served;
    symlinkSync("/dev/full", join(product.stateDir, "daemon.log"));
    expectRefusal(await product.run(["daemon", "start", "--port", "0"]), 1, /daemon\.log/);

    const other = new Product({ profile: "full" });
    mkdirSync(other.serverDir, { recursive: true });
    symlinkSync("/dev/full", join(other.serverDir, "server.log"));
    expectRefusal(await other.run(["server", "start", "--port", "0"]), 1, /server\.log/);
  });

  it("starts the daemon without any agent, waits and says so", async () => {
    const product = agentless;
    const status = await product.json<{ status: string; agents?: string[] }>(["daemon", "status"]);
    expect(status.status).toBe("running");
    expect(status.agents ?? []).toEqual([]);
    const text = await product.run(["daemon", "status"]);
    expect(text.stdout).toMatch(/no agent|no runtime/i);
  });

  it("explains a checkout outside a task, and an unknown flag with its neighbour (2)", async () => {
    const product = new Product();
    const outside = await product.run(["repo", "checkout", "https://example.invalid/a.git"]);
    expect(outside.code).not.toBe(0);
    expect(outside.stderr).toMatch(/task|daemon/i);
    const typo = await product.run(["issue", "list", "--stauts", "todo"]);
    expect(typo.code).toBe(2);
    expect(typo.stderr).toMatch(/--stauts/);
  });

  it("does not run on an unreadable home directory silently", async () => {
    const product = new Product();
    mkdirSync(product.stateDir, { recursive: true });
    const path = join(product.stateDir, "config.json");
    mkdirSync(path);
    const result = await product.run(["config", "show"]);
    chmodSync(path, 0o755);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(path);
  });
});
