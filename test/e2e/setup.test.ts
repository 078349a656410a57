import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EmbeddedReport } from "../../src/lib/setup/index.ts";
import { answeringServer } from "../support/answering-server.ts";
import { fakeAgents } from "../support/daemon.ts";
import { Product } from "../support/product.ts";
import { tempDir } from "../support/temp.ts";

describe("multica setup embedded", () => {
  it("makes a machine ready once and changes nothing the second time", async () => {
    const product = new Product();
    const first = await product.json<EmbeddedReport>(["setup", "embedded", "--port", "0", "--no-daemon"]);
    expect(first).toMatchObject({ server_started: true, workspace: { slug: "local" }, daemon: { started: false } });
    await product.json(["daemon", "start", "--port", "0"]);
    const config = join(product.stateDir, "config.json");
    const before = readFileSync(config, "utf8");
    expect(statSync(config).mode & 0o777).toBe(0o600);

    const second = await product.json<EmbeddedReport>(["setup", "embedded"]);
    expect(second).toMatchObject({ server_started: false, server_url: first.server_url, daemon: { started: false, pid: product.daemonInfo().pid } });
    expect(second.next.length).toBeGreaterThan(0);
    expect(readFileSync(config, "utf8")).toBe(before);
  });

  it("tells how each runtime was found, and commands that work in the profile", async () => {
    const home = tempDir("multica-bin-");
    const bin = fakeAgents(home, { codex: "0.130.0" });
    const product = new Product({ profile: "side", env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` } });
    const report = await product.json<EmbeddedReport>(["setup", "embedded", "--port", "0", "--daemon-port", "0"]);
    expect(report.runtimes).toMatchObject([{ provider: "codex", status: "online", found: `on PATH: ${join(bin, "codex")}` }]);
    expect(report.next).toHaveLength(3);
    for (const command of report.next) expect(command).toMatch(/^multica --profile side /);
    const text = await product.run(["setup", "embedded"]);
    expect(text.stdout).toMatch(/Runtimes: +Codex .*\(codex, online\), on PATH: /);
  });

  it("brings a running daemon to the server's new address", async () => {
    const product = new Product();
    const first = await product.json<EmbeddedReport>(["setup", "embedded", "--port", "0", "--daemon-port", "0"]);
    await product.json(["server", "stop"]);
    const second = await product.json<EmbeddedReport>(["setup", "embedded", "--port", "0", "--daemon-port", "0"]);
    expect(second.server_url).not.toBe(first.server_url);
    expect(second.daemon.started).toBe(true);
    expect(await product.json(["daemon", "status"])).toMatchObject({ status: "running", server_url: second.server_url });
  });

  it("keeps the token when the server comes back on another port", async () => {
    const product = new Product();
    await product.json(["setup", "embedded", "--port", "0", "--no-daemon"]);
    const { token } = product.settings();
    await product.json(["server", "stop"]);
    const again = await product.json<EmbeddedReport>(["setup", "embedded", "--port", "0", "--no-daemon"]);
    expect(again.server_started).toBe(true);
    expect(product.settings()).toMatchObject({ token, server_url: again.server_url });
  });

  it("does not take a profile away from another server (7), and leaves its settings as they are", async () => {
    const product = new Product();
    mkdirSync(product.stateDir, { recursive: true });
    const config = join(product.stateDir, "config.json");
    const text = JSON.stringify({ server_url: "https://multica.example.com", token: `mul_${"a".repeat(40)}`, mine: 1 });
    writeFileSync(config, text);
    const result = await product.run(["setup", "embedded", "--port", "0", "--no-daemon"]);
    expect(result.code).toBe(7);
    expect(result.stderr).toContain("https://multica.example.com");
    expect(result.stderr).toMatch(/--profile/);
    expect(readFileSync(config, "utf8")).toBe(text);
  });

  it("names its own flag when the daemon's port belongs to another one (7)", async () => {
    const product = new Product();
    const other = await answeringServer({ "GET /health": { body: { status: "running", pid: 1, profile: "", state_root: "/elsewhere" } } });
    const result = await product.run(["setup", "embedded", "--port", "0", "--daemon-port", String(other.port)]);
    expect([result.code, result.stderr]).toEqual([7, expect.stringContaining("Choose another port with --daemon-port")]);
  });

  it("replaces a token that the server no longer accepts", async () => {
    const product = new Product();
    await product.json(["setup", "embedded", "--port", "0", "--no-daemon"]);
    const config = join(product.stateDir, "config.json");
    writeFileSync(config, JSON.stringify({ ...product.settings(), token: `mul_${"0".repeat(40)}`, mine: 1 }));
    await product.json(["setup", "embedded", "--no-daemon"]);
    expect(product.settings().token).not.toBe(`mul_${"0".repeat(40)}`);
    expect(JSON.parse(readFileSync(config, "utf8"))).toMatchObject({ mine: 1 });
    expect((await product.run(["issue", "list"])).code).toBe(0);
  });
});
