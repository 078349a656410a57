import { describe, expect, it } from "vitest";
import { cutBytes, splitBytes } from "../../../../src/lib/daemon/task/cut.ts";
import { Transcript } from "../../../../src/lib/daemon/task/transcript.ts";

const AWS = "AKIA" + "ABCDEFGHIJKLMNOP";

describe("Transcript", () => {
  it("gives pending text its number before the tool that follows it, all within one flush (K-25)", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "thinking", content: "hm" });
    transcript.add({ kind: "text", content: "I will " });
    transcript.add({ kind: "text", content: "look" });
    transcript.add({ kind: "tool_use", tool: "shell", callId: "1", input: { command: "ls" } });
    transcript.add({ kind: "text", content: "done" });
    expect(transcript.takeAll()).toEqual([
      { seq: 1, type: "thinking", content: "hm" },
      { seq: 2, type: "text", content: "I will look" },
      { seq: 3, type: "tool_use", tool: "shell", input: { command: "ls" } },
      { seq: 4, type: "text", content: "done" },
    ]);
    expect(transcript.nextSeq).toBe(5);
  });

  it("goes on numbering in a second attempt and forgets its open tools", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "tool_use", tool: "shell", callId: "1" });
    expect(transcript.toolsInFlight).toBe(1);
    transcript.startRun();
    expect(transcript.toolsInFlight).toBe(0);
    expect(transcript.toolCount).toBe(1);
    transcript.add({ kind: "error", content: "again" });
    expect(transcript.takeAll().map((entry) => entry.seq)).toEqual([1, 2]);
  });

  it("names the tool of a result after its call and never counts below zero", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "tool_result", tool: "", callId: "x", output: "stray" });
    transcript.add({ kind: "tool_use", tool: "read", callId: "a" });
    transcript.add({ kind: "tool_result", tool: "", callId: "a", output: "text" });
    expect(transcript.toolsInFlight).toBe(0);
    expect(transcript.takeAll().map((entry) => entry.tool)).toEqual(["", "read", "read"]);
  });

  it("cuts an output of 20 000 bytes to 8192 at a character's border (K-24)", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "tool_result", tool: "t", callId: "", output: "€".repeat(6667) });
    const output = transcript.takeAll()[0]?.output ?? "";
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(8192);
    expect(output).toMatch(/^€+$/);
  });

  it("masks secrets in nested inputs, outputs, errors and text, and user names in home paths (K-39)", () => {
    const transcript = new Transcript({ secrets: ["swordfish-42"] });
    transcript.add({ kind: "tool_use", tool: "t", callId: "", input: { a: { b: [`key ${AWS}`, "/home/ada/x", "swordfish-42"] } } });
    transcript.add({ kind: "tool_result", tool: "t", callId: "", output: `${"x".repeat(8180)}swordfish-42` });
    transcript.add({ kind: "error", content: "Bearer abcdefghijklmnop" });
    const text = JSON.stringify(transcript.takeAll());
    expect(text).not.toContain(AWS);
    expect(text).not.toContain("swordfish");
    expect(text).not.toContain("ada");
    expect(text).not.toContain("abcdefgh");
    expect(text).toContain("[REDACTED]");
  });

  it("keeps an unfinished line back, so that a secret in two halves is still found", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "text", content: `first line\nkey: ${AWS.slice(0, 8)}` });
    expect(transcript.take()).toEqual([{ seq: 1, type: "text", content: "first line\n" }]);
    transcript.add({ kind: "text", content: `${AWS.slice(8)} end\n` });
    expect(transcript.take()).toEqual([{ seq: 2, type: "text", content: "key: [REDACTED] end\n" }]);
    expect(transcript.take()).toEqual([]);
  });

  it("keeps a private key back until its end has come", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "text", content: "look:\n-----BEGIN PRIVATE KEY-----\nMIIabc\n" });
    expect(transcript.take().map((entry) => entry.content)).toEqual(["look:\n"]);
    transcript.add({ kind: "text", content: "def\n-----END PRIVATE KEY-----\n" });
    expect(transcript.take().map((entry) => entry.content)).toEqual(["[REDACTED]\n"]);
  });

  it("lets an unfinished line go when nothing follows for a while", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "text", content: "thinking about it" });
    const flushes = Array.from({ length: 5 }, () => transcript.take());
    expect(flushes.map((entries) => entries.length)).toEqual([0, 0, 0, 0, 1]);
  });

  it("does not join text across thinking", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "text", content: "a" });
    transcript.add({ kind: "thinking", content: "b" });
    transcript.add({ kind: "text", content: "c" });
    expect(transcript.takeAll().map((entry) => [entry.type, entry.content])).toEqual([
      ["text", "a"],
      ["thinking", "b"],
      ["text", "c"],
    ]);
  });

  it("cuts a huge text into several entries and loses none of it", () => {
    const transcript = new Transcript({ secrets: [] });
    const text = "word ".repeat(60_000);
    transcript.add({ kind: "text", content: text });
    const entries = transcript.takeAll();
    expect(entries.length).toBeGreaterThan(1);
    expect(entries.map((entry) => entry.content).join("")).toBe(text);
  });

  it("forwards neither status nor log", () => {
    const transcript = new Transcript({ secrets: [] });
    transcript.add({ kind: "status", status: "running", sessionId: "s" });
    transcript.add({ kind: "log", level: "info", content: "x" });
    expect(transcript.takeAll()).toEqual([]);
  });
});

describe("cutting by bytes", () => {
  it("never splits a character, not even a pair of surrogates at the border", () => {
    for (let max = 0; max < 20; max += 1) {
      const cut = cutBytes("a😀ü€".repeat(3), max);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max);
      expect("a😀ü€".repeat(3).startsWith(cut)).toBe(true);
    }
    expect(splitBytes("a😀ü€😀😀", 4).join("")).toBe("a😀ü€😀😀");
  });
});
