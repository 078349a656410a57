import { describe, expect, it } from "vitest";
import { compareVersions, getProvider, pickVersion, profileFamilies, providers, type AgentMessage, versionRefusal } from "../../../src/lib/agents/index.ts";
import { MessageQueue } from "../../../src/lib/agents/message-queue.ts";
import { StderrTail, sanitizeDiagnostics } from "../../../src/lib/agents/stderr-tail.ts";
import { recordedLines } from "../../support/replay.ts";

describe("pickVersion", () => {
  it.each([
    ["Active code page: 65001\r\n0.42.0\r\n", "", "0.42.0"],
    ["2.1.5 (Claude Code)\n", "", "2.1.5 (Claude Code)"],
    ["", "0.73.1\n", "0.73.1"],
    ["GitHub Copilot 1.0.102\nrun update\n", "v9.9.9", "GitHub Copilot 1.0.102"],
    ["  no number \n", "", "no number"],
  ])("reads %j and %j as %j [V4, V5]", (stdout, stderr, version) => {
    expect(pickVersion(stdout, stderr)).toBe(version);
  });

  it.each(["0.100.0", "0.142.3", "0.169.0"])("reads codex %s as it was recorded", (version) => {
    const lines = recordedLines("codex", version, "version");
    const stdout = lines.flatMap(({ dir, line }) => (dir === "out" ? [line] : [])).join("\n");
    const stderr = lines.flatMap(({ dir, line }) => (dir === "err" ? [line] : [])).join("\n");
    expect(pickVersion(stdout, stderr)).toBe(`codex-cli ${version}`);
    expect(versionRefusal("codex", pickVersion(stdout, stderr), "0.100.0")).toBeNull();
  });
});

describe("versionRefusal", () => {
  it("names both versions when one is too old [V2]", () => {
    expect(versionRefusal("codex", "codex-cli 0.99.0", "0.100.0")).toBe("codex version codex-cli 0.99.0 is below minimum required 0.100.0 — please upgrade");
  });

  it("refuses what it cannot read, unless there is no minimum [V3]", () => {
    expect(versionRefusal("codex", "not a version", "0.100.0")).toBe('cannot parse detected codex version "not a version"');
    expect(versionRefusal("kimi", "not a version", null)).toBeNull();
  });

  it("compares numbers, not text", () => {
    expect(compareVersions("0.100.0", "0.99.9")).toBeGreaterThan(0);
    expect(compareVersions("v1.2.3", "1.2.3-beta")).toBe(0);
  });
});

describe("StderrTail", () => {
  it("keeps the last 2048 bytes as valid text [G11, G12]", () => {
    const tail = new StderrTail();
    tail.push("START");
    tail.push("é".repeat(5000));
    expect(Buffer.byteLength(tail.tail())).toBeLessThanOrEqual(2048);
    expect(tail.tail()).toMatch(/^é+$/);
    expect(tail.bytes).toBe(5 + 1 + 10_000 + 1);
    expect(tail.includes("start")).toBe(true);
  });

  it("takes out secrets, colours and control characters [G13]", () => {
    const text = 'a Authorization: Bearer x\nb {"token":"y","n":1} c api_key=z d\n\u001b[31mred\u001b[0m\u0007';
    expect(sanitizeDiagnostics(text)).toBe('a Authorization: [REDACTED]\nb {"token":"[REDACTED]","n":1} c api_key=[REDACTED] d\nred');
  });
});

describe("MessageQueue", () => {
  const text = (content: string): AgentMessage => ({ kind: "text", content });
  const use: AgentMessage = { kind: "tool_use", tool: "t", callId: "1" };

  it("joins neighbouring texts that wait, in order, and drops nothing", async () => {
    const queue = new MessageQueue();
    for (const message of [text("a"), text("b"), use, text("c"), { kind: "thinking", content: "d" } as const, text("e")]) queue.push(message);
    expect(queue.size).toBe(5);
    queue.close();
    queue.push(text("late"));
    const read: AgentMessage[] = [];
    for await (const message of queue) read.push(message);
    expect(read).toEqual([text("ab"), use, text("c"), { kind: "thinking", content: "d" }, text("e")]);
  });

  it("hands messages to a reader that waits", async () => {
    const queue = new MessageQueue();
    const reading = (async () => {
      const read: AgentMessage[] = [];
      for await (const message of queue) read.push(message);
      return read;
    })();
    for (let index = 0; index < 3; index += 1) {
      queue.push(text(String(index)));
      await Promise.resolve();
    }
    queue.close();
    expect((await reading).map((message) => (message.kind === "text" ? message.content : "")).join("")).toBe("012");
  });
});

describe("registry", () => {
  it("keys every provider by its own id and knows its families", () => {
    for (const [id, spec] of Object.entries(providers)) expect(spec.id).toBe(id);
    expect(profileFamilies()).toContain("codex");
  });

  it("names the supported providers when asked for another [G15]", () => {
    expect(() => getProvider("nope")).toThrow(/unknown agent provider "nope" \(supported: .*codex/);
    expect(() => getProvider("constructor")).toThrow(/unknown agent provider/);
  });

  it("owns every flag that its argv uses", () => {
    for (const spec of Object.values(providers)) {
      const { protocol } = spec.argv({ options: { cwd: "/w", prompt: "p" }, env: {} });
      for (const token of protocol) if (token.startsWith("-")) expect(Object.keys(spec.ownedFlags)).toContain(token);
    }
  });
});
