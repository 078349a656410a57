import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { mintTokenRow } from "../../../src/lib/server/auth/tokens.ts";
import { attachSocket } from "../../../src/lib/server/socket.ts";
import { openSocket } from "../../support/live-server.ts";
import { taskWorld } from "../../support/task-world.ts";

async function connected() {
  const world = await taskWorld();
  const http = createServer();
  const attached = attachSocket(http, world.ctx);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closing = attached.close();
    await world.clock.advance(world.ctx.thresholds.shutdownMs);
    await closing;
    await new Promise((resolve) => http.close(resolve));
  });
  const token = world.tx((tx) => mintTokenRow(tx, { kind: "personal", userId: world.userId, name: "t", expiresAt: null }).text);
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/api/daemon/ws?runtime_ids=${world.runtimeId}`;
  const client = await openSocket(url, token);
  const announce = (): void => world.ctx.bus.emit({ type: "task_available", runtimeId: world.runtimeId, taskId: "t" });
  return { world, attached, client, announce };
}

describe("attachSocket", () => {
  it("delivers any number of hints at once to a daemon that listens", async () => {
    const { client, announce, attached } = await connected();
    for (let count = 0; count < 100; count += 1) announce();
    await expect.poll(() => client.frames.length).toBe(100);
    expect(attached.connections).toBe(1);
  });

  it("disconnects a daemon that has stopped taking frames, and keeps nothing of it", async () => {
    const { world, client, announce, attached } = await connected();
    client.socket.pause();
    // The kernel takes some megabytes before anything waits.
    for (let round = 0; round < 400 && attached.connections > 0; round += 1) {
      for (let count = 0; count < 1000; count += 1) announce();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(attached.connections).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  it("tells daemons of a workspace about its profiles, and an account about its workspaces", async () => {
    const { world, client } = await connected();
    world.ctx.bus.emit({ type: "runtime_profiles_changed", workspaceId: "elsewhere", profileId: "p" });
    world.ctx.bus.emit({ type: "runtime_profiles_changed", workspaceId: world.workspaceId, profileId: "p" });
    world.ctx.bus.emit({ type: "workspaces_changed", userId: "somebody" });
    world.ctx.bus.emit({ type: "workspaces_changed", userId: world.userId });
    await expect.poll(() => client.frames).toEqual([
      { type: "daemon:runtime_profiles_changed", payload: { workspace_id: world.workspaceId, runtime_profile_id: "p" } },
      { type: "daemon:workspaces_changed", payload: {} },
    ]);
  });
});
