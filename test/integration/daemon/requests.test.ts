import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFor, type TestServer, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

type Json = Record<string, unknown>;

/** A request as the local user; what it answers. */
async function ask(server: TestServer, method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.token}`, "x-workspace-id": server.workspaceId, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Json;
}

/** Creates a request for a runtime and waits for its end. */
async function answered(server: TestServer, path: string, body: unknown = {}): Promise<Json> {
  const made = await ask(server, "POST", path, body);
  return waitFor(`the end of ${path}`, async () => {
    const now = await ask(server, "GET", `${path}/${String(made["id"])}`);
    return now["status"] === "pending" || now["status"] === "running" ? undefined : now;
  });
}

const APP_SERVER = `#!/usr/bin/env node
import { createInterface } from "node:readline";
if (process.argv.includes("--version")) { console.log("codex-cli 0.169.0"); process.exit(0); }
const send = (frame) => process.stdout.write(JSON.stringify(frame) + "\\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (method === "initialize") send({ id, result: {} });
  if (method === "model/list") send({ id, result: { data: [{ id: "m1", model: "m1", displayName: "Model 1", isDefault: true }], nextCursor: null } });
});
`;

async function running() {
  const server = await testServer();
  const home = testHome();
  writeFileSync(join(home.bin, "codex"), APP_SERVER);
  chmodSync(join(home.bin, "codex"), 0o755);
  home.env["PATH"] = `${home.env["PATH"] ?? ""}:${join(process.execPath, "..")}`;
  const daemon = await testDaemon(home, configFor(home, server, "", { heartbeatIntervalMs: 100 }));
  const [runtime] = await server.api.runtimes();
  return { server, home, daemon, runtimeId: runtime?.id ?? "" };
}

describe("requests of users that only the daemon can answer", () => {
  it("models, skills, an import and an update make the way there and back", async () => {
    const { server, home, runtimeId } = await running();
    const skill = join(home.home, ".codex", "skills", "deploy");
    mkdirSync(skill, { recursive: true });
    writeFileSync(join(skill, "SKILL.md"), "---\nname: deploy\ndescription: Ships it\n---\nRun the script.\n");
    writeFileSync(join(skill, "run.sh"), "echo ship\n");
    writeFileSync(join(home.home, ".codex", "config.toml"), '[mcp_servers.search]\ncommand = "npx"\nargs = ["--token", "s3cret"]\n');
    const base = `/api/runtimes/${runtimeId}`;
    const [models, skills, update] = await Promise.all([
      answered(server, `${base}/models`),
      answered(server, `${base}/local-skills`),
      answered(server, `${base}/update`, { target_version: "9.9.9" }),
    ]);
    expect(models).toMatchObject({ status: "completed", supported: true, models: [{ id: "m1", label: "Model 1", default: true }] });
    expect(skills).toMatchObject({ status: "completed", supported: true, skills: [{ key: "deploy", name: "deploy", description: "Ships it", file_count: 2 }] });
    expect(JSON.stringify(skills)).not.toContain("s3cret");
    expect(update["status"]).toBe("failed");
    const imported = await answered(server, `${base}/local-skills/import`, { skill_key: "deploy" });
    expect(imported["status"]).toBe("completed");
    const stored = (await ask(server, "GET", "/api/skills")) as unknown as Json[];
    const full = await ask(server, "GET", `/api/skills/${String(stored[0]?.["id"])}`);
    expect(full).toMatchObject({ name: "deploy", content: expect.stringContaining("Run the script."), files: [{ path: "run.sh", content: "echo ship\n" }] });
    const missing = await answered(server, `${base}/local-skills/import`, { skill_key: "nothing" });
    expect(missing).toMatchObject({ status: "failed", error: "local skill not found" });
  });
});
