import { describe, expect, it } from "vitest";
import { createActiveRoots } from "../../../src/lib/daemon/active-roots.ts";
import { createCredentials } from "../../../src/lib/daemon/credentials.ts";
import { Broadcast, Mailbox } from "../../../src/lib/daemon/mailbox.ts";
import { createReconcile } from "../../../src/lib/daemon/reconcile.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";

const never = new AbortController().signal;

describe("Mailbox", () => {
  it("keeps one signal for a later waiter and drops more", async () => {
    const box = new Mailbox();
    for (let index = 0; index < 10; index += 1) box.post();
    const clock = new HeldClock();
    expect(await box.wait(clock, 1000, never)).toBe("signal");
    const second = box.wait(clock, 1000, never);
    await clock.advance(1000);
    expect(await second).toBe("timeout");
    expect(clock.pending).toBe(0);
  });

  it("ends a wait by signal or abort and leaves no timer", async () => {
    const clock = new HeldClock();
    const box = new Mailbox();
    const woken = box.wait(clock, 1000, never);
    box.post();
    expect(await woken).toBe("signal");
    const root = new AbortController();
    const aborted = box.wait(clock, Infinity, root.signal);
    root.abort();
    expect(await aborted).toBe("aborted");
    expect(await box.wait(clock, 1000, root.signal)).toBe("aborted");
    expect(clock.pending).toBe(0);
  });
});

describe("Broadcast", () => {
  it("reaches every subscriber once, however often it is called before they look", () => {
    const broadcast = new Broadcast();
    const [one, two] = [broadcast.subscribe(), broadcast.subscribe()];
    for (let index = 0; index < 10; index += 1) broadcast.notify();
    expect([one.take(), one.take(), two.take(), two.take()]).toEqual([true, false, true, false]);
    broadcast.unsubscribe(one);
    broadcast.notify();
    expect([one.take(), two.take()]).toEqual([false, true]);
  });
});

describe("the reconcile broadcast", () => {
  const state = async (promise: Promise<void>): Promise<string> => Promise.race([promise.then(() => "fired"), new Promise<string>((resolve) => setImmediate(() => resolve("waiting")))]);

  it("fires every waiting ticket once", async () => {
    const reconcile = createReconcile(new HeldClock(), 1000);
    const [one, two] = [reconcile.subscribe(), reconcile.subscribe()];
    two.cancel();
    reconcile.broadcast();
    expect(await state(one.fired)).toBe("fired");
    expect(await state(two.fired)).toBe("waiting");
  });

  it("keeps a broadcast without subscriber for exactly the next one", async () => {
    const reconcile = createReconcile(new HeldClock(), 1000);
    reconcile.broadcast();
    expect(await state(reconcile.subscribe().fired)).toBe("fired");
    expect(await state(reconcile.subscribe().fired)).toBe("waiting");
  });

  it("drops broadcasts closer than a second; exactly a second passes", async () => {
    const clock = new HeldClock();
    const reconcile = createReconcile(clock, 1000);
    reconcile.subscribe();
    reconcile.broadcast();
    const ticket = reconcile.subscribe();
    await clock.advance(999);
    reconcile.broadcast();
    expect(await state(ticket.fired)).toBe("waiting");
    await clock.advance(1);
    reconcile.broadcast();
    expect(await state(ticket.fired)).toBe("fired");
  });
});

describe("active roots", () => {
  it("are counted, so that an inner mark does not end an outer one", () => {
    const roots = createActiveRoots();
    const [outer, inner] = [roots.mark("/b"), roots.mark("/b")];
    roots.mark("/a");
    inner();
    inner();
    expect(roots.list()).toEqual(["/a", "/b"]);
    outer();
    expect([roots.isActive("/a"), roots.isActive("/b")]).toEqual([true, false]);
  });
});

describe("credentials", () => {
  const credential = { workspaceId: "w", taskId: "t", agentId: "a", agentName: "A", workdir: "/x", envRoot: "/" };

  it("are valid from registration to revocation", () => {
    const credentials = createCredentials();
    const revoke = credentials.register("mat_x", credential);
    expect(credentials.find("mat_x")).toBe(credential);
    expect(credentials.find("mat_y")).toBeNull();
    expect(credentials.find("")).toBeNull();
    revoke();
    expect(credentials.find("mat_x")).toBeNull();
    expect(credentials.size).toBe(0);
  });

  it("of a repeated run are not revoked by the end of the first", () => {
    const credentials = createCredentials();
    const first = credentials.register("mat_x", credential);
    credentials.register("mat_x", { ...credential, taskId: "t2" });
    first();
    expect(credentials.find("mat_x")?.taskId).toBe("t2");
  });
});
