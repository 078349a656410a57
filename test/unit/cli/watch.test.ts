import { describe, expect, it } from "vitest";
import { statusText } from "../../../src/views/daemon.ts";
import { watch } from "../../../src/views/watch.ts";

async function watched(pictures: readonly string[], screen: { rows(): number } | null): Promise<string> {
  const state = { at: 0, out: "" };
  await watch({
    look: () => Promise.resolve(pictures[state.at] ?? ""),
    pause: () => Promise.resolve(void (state.at += 1)),
    over: () => state.at >= pictures.length,
    screen,
    streams: { out: (text) => (state.out += text), err: () => undefined },
  });
  return state.out;
}

describe("a picture that is shown again and again", () => {
  it("is printed when it has changed where nobody draws", async () => {
    expect(await watched(["a\n", "a\n", "b\n"], null)).toBe("a\nb\n");
  });

  it("is drawn over the last one on a second page, which is left at the end, also after a failure", async () => {
    const out = await watched(["a\nb\n", "c\n"], { rows: () => 10 });
    expect(out).toBe("\u001B[?1049h\u001B[?25l\u001B[Ha\u001B[K\nb\u001B[K\n\u001B[J\u001B[Hc\u001B[K\n\u001B[J\u001B[?25h\u001B[?1049l");
    let text = "";
    const failing = watch({ look: () => Promise.reject(new Error("gone")), pause: () => Promise.resolve(), over: () => false, screen: { rows: () => 3 }, streams: { out: (part) => (text += part), err: () => undefined } });
    await expect(failing).rejects.toThrow("gone");
    expect(text.endsWith("\u001B[?25h\u001B[?1049l")).toBe(true);
  });

  it("says how much does not fit", async () => {
    const out = await watched(["1\n2\n3\n4\n5\n"], { rows: () => 4 });
    expect(out).toContain("1\u001B[K\n2\u001B[K\n… 3 more lines");
  });
});

describe("the daemon's status", () => {
  it("tells of the link, slots, what waits and why, what takes nothing, and what ended", () => {
    const text = statusText(
      {
        status: "running", pid: 7, uptime: "1m", version: "1.0.0", port: 1, server_url: "http://x", agents: ["codex"], custom_agents: [{ name: "Mine", provider: "acp", path: "/p" }], workspaces: [], active_task_count: 2, resource_wait_task_count: 1,
        skipped_agents: { gemini: "too old" }, failed_profiles: [{ profile_id: "p-1", command_name: "mine", reason: "not found" }],
        reload_pending_reason: "the program on disk is version 2.0.0",
        link: { connected: false, since: "2026-01-01T10:00:00.000Z" },
        last_heartbeat_at: "2026-01-01T10:00:05.000Z",
        slots: { total: 2, free: 0 },
        queue: { as_of: null, error: "no answer", tasks: [{ task_id: "t-1", queued_at: "2026-01-01T10:00:00Z", text: "all 2 slots are taken" }] },
        parked: [{ provider: "codex", reason: "below minimum" }],
        recent: [{ kind: "task", id: "t-0", ended_at: "2026-01-01T09:59:59.000Z", outcome: "failed", reason: "timeout" }],
      },
      "",
    );
    for (const part of [
      /Agents:\s+codex, Mine \(acp\)/, /Skipped:\s+gemini \(too old\), mine \(not found\)/,
      /Restart pending:\s+the program on disk is version 2\.0\.0/, /Link:\s+not connected since 2026-01-01 10:00/, /Last heartbeat:\s+2026-01-01 10:00:05/, /Tasks:\s+2 \(0 of 2 slots free\); 1 waits for a directory/,
      /Waiting:\nTASK\s+SINCE\s+WHY\nt-1\s+2026-01-01 10:00\s+all 2 slots are taken/, /Takes no tasks:\nRUNTIME\s+WHY\ncodex\s+below minimum/, /could not be asked: no answer/,
      /Ended:\nWHAT\s+AT\s+OUTCOME\ntask t-0\s+09:59:59\s+failed: timeout/,
    ]) expect(text).toMatch(part);
  });

  it("tells one that is about to end from one that runs, and from one that has ended", () => {
    expect(statusText({ status: "running", stopping: true, pid: 7, uptime: "1m" }, "")).toMatch(/Daemon:\s+stopping \(pid 7, uptime 1m\): claims nothing more/);
    expect(statusText({ status: "stopped", silent_pid: 7 }, "")).toMatch(/Daemon:\s+not answering \(pid 7\)/);
    expect(statusText({ status: "stopped", killed_pid: 7 }, "")).toMatch(/Daemon:\s+stopped; the last one \(pid 7\) was killed/);
    expect(statusText({ status: "stopped" }, "")).toMatch(/Daemon:\s+stopped\n/);
  });
});
