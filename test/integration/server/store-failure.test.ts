import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { startServer } from "../../../src/lib/server/index.ts";
import { testServer } from "../../support/server.ts";
import { tempDir } from "../../support/temp.ts";

describe("a store that fails (embedded-server.md, server-api.md 2.3)", () => {
  it("is an honest 500 or 503, never one of the 404 texts that daemons act on", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("PRAGMA legacy_alter_table=ON; ALTER TABLE agent_runtime RENAME TO agent_runtime_away; ALTER TABLE task RENAME TO task_away");
    const asks: [string, string, object?][] = [
      ["POST", "/api/daemon/heartbeat", { runtime_id: agent.runtimeId }],
      ["GET", `/api/daemon/tasks/${task.taskId}/status`],
      ["GET", `/api/issues/${task.id}/task-runs`],
    ];
    for (const [method, path, body] of asks) {
      const reply = await server.call(method, path, body);
      expect([path, reply.status]).toEqual([path, 500]);
      expect(reply.text).not.toContain("not found");
    }
    db.exec("ALTER TABLE agent_runtime_away RENAME TO agent_runtime; ALTER TABLE task_away RENAME TO task");
    db.close();
    expect((await server.call("POST", "/api/daemon/heartbeat", { runtime_id: agent.runtimeId })).status).toBe(200);
  });

  it("says 503 while somebody else holds the database, and goes on afterwards", async () => {
    const server = await testServer();
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("BEGIN IMMEDIATE");
    const busy = await server.call("POST", "/api/issues", { title: "a" });
    expect(busy.status).toBe(503);
    db.exec("ROLLBACK");
    db.close();
    expect((await server.ok("POST", "/api/issues", { title: "a" }))["identifier"]).toBe("LOCA-1");
  });

  it("does not open a database that a newer version wrote, and leaves it alone", async () => {
    const server = await testServer();
    await server.running.stop();
    const path = join(server.dataDir, "server.sqlite");
    const db = openDatabase(path);
    db.exec("PRAGMA user_version=99");
    db.close();
    const start = startServer({ dataDir: server.dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger });
    await expect(start).rejects.toMatchObject({ code: "database_newer" });
  });

  it("says which file is no database", async () => {
    const dataDir = tempDir();
    writeFileSync(join(dataDir, "server.sqlite"), "this is not a database, but a text that is long enough to be read as one".repeat(20));
    const start = startServer({ dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger });
    await expect(start).rejects.toMatchObject({ code: "database_open", exit: 1, message: expect.stringContaining(join(dataDir, "server.sqlite")) as string });
  });
});
