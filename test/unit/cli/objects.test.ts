// cli.md 8.4, 8.5: the rules of the commands that need no server.
import { describe, expect, it } from "vitest";
import { attachmentMarkdown, safeFileName } from "../../../src/cli/attachment-name.ts";
import { attachmentIds } from "../../../src/cli/attachments.ts";
import { withoutSecrets } from "../../../src/cli/autopilot-secrets.ts";
import { groupByStage, sortByStage } from "../../../src/cli/children.ts";
import { csvValues } from "../../../src/cli/csv.ts";
import { metadataFilter, metadataValue } from "../../../src/cli/metadata.ts";
import { resourceRef } from "../../../src/cli/resource-ref.ts";
import { filterTimeline } from "../../../src/cli/timeline.ts";
import type { AutopilotTrigger, Issue, TimelineEntry } from "../../../src/lib/wire/index.ts";

describe("values of flags", () => {
  it.each([
    [["a,b", "c"], ["a", "b", "c"]],
    [['"a,b",c', '"say ""x"""'], ["a,b", "c", 'say "x"']],
    [["", " a , ,b "], ["a", "b"]],
  ])("splits %j like CSV records", (given, expected) => {
    expect(csvValues("x", given)).toEqual(expected);
  });

  it("refuses an open quote", () => {
    expect(() => csvValues("x", ['"a'])).toThrow("a quote is not closed");
  });

  it.each([
    ["5", undefined, 5],
    ['"5"', undefined, "5"],
    ["true", undefined, true],
    ["null", undefined, "null"],
    ["[1]", undefined, "[1]"],
    ["x", undefined, "x"],
    ["5", "string", "5"],
    ["false", "bool", false],
    ["1e3", "number", 1000],
  ])("takes the metadata value %j with type %j as %j", (text, type, expected) => {
    expect(metadataValue(text, type)).toBe(expected);
  });

  it("reads metadata filters and refuses half and double ones", () => {
    expect(JSON.parse(metadataFilter(["k=1", "j=a=b"]) ?? "")).toEqual({ k: 1, j: "a=b" });
    expect(metadataFilter([])).toBeUndefined();
    for (const bad of [["k"], ["=v"], ["k=1", "k=2"]]) expect(() => metadataFilter(bad)).toThrow("--metadata");
  });

  it("joins attachment ids of flags and of the quick-create task, flags first, each once", () => {
    expect(attachmentIds(["b,a"], '["a"," c ",""]')).toEqual(["b", "a", "c"]);
    expect(attachmentIds(undefined, undefined)).toEqual([]);
    expect(() => attachmentIds(undefined, '{"a":1}')).toThrow("MULTICA_QUICK_CREATE_ATTACHMENT_IDS");
  });
});

describe("sub-issues and history", () => {
  const issue = (title: string, stage: number | null, more: object = {}) => ({ title, stage, status: "todo", ...more }) as unknown as Issue;

  it("come stage by stage, those without one last; through is what the category says, else the status", () => {
    const all = sortByStage([issue("c", 2), issue("d", null), issue("a", 1, { status: "shipped", status_category: "done" }), issue("b", 1, { status: "done", status_category: "started" })]);
    expect(all.map((one) => one.title)).toEqual(["a", "b", "c", "d"]);
    expect(groupByStage(all)).toMatchObject({ total: 4, stages: [{ stage: 1, total: 2, done: 1 }, { stage: 2, total: 1, done: 0 }], unstaged: [{ title: "d" }] });
    expect(groupByStage([])).toEqual({ total: 0, stages: [], unstaged: [] });
  });

  it("are filtered here: an action implies activity, an unreadable time is not since anything, the tail comes last", () => {
    const entry = (id: string, type: string, created_at: string, action?: string) => ({ id, type, created_at, action: action ?? null }) as TimelineEntry;
    const entries = [entry("1", "activity", "2026-01-01T00:00:00Z", "created"), entry("2", "comment", "2026-01-02T00:00:00Z"), entry("3", "activity", "soon", "moved"), entry("4", "activity", "2026-01-04T00:00:00Z", "moved")];
    const ids = (filter: object): string[] => filterTimeline(entries, { activityOnly: false, actions: [], since: undefined, tail: undefined, ...filter }).map((one) => one.id);
    expect(ids({})).toEqual(["1", "2", "3", "4"]);
    expect(ids({ actions: ["moved"] })).toEqual(["3", "4"]);
    expect(ids({ since: "2026-01-01T12:00:00Z" })).toEqual(["2", "4"]);
    expect([ids({ activityOnly: true, tail: 1 }), ids({ tail: 0 })]).toEqual([["4"], []]);
  });
});

describe("attachments", () => {
  it.each([
    ["../../x", "x"],
    ["a\\b", "b"],
    [".", "id"],
    ["..", "id"],
    ["", "id"],
    ["a\u0000\n.txt", "a.txt"],
  ])("stores %j as %j", (filename, expected) => {
    expect(safeFileName({ id: "id", filename })).toBe(expected);
  });

  it("are shown as pictures or files, their names escaped", () => {
    const file = { id: "i", url: "u", filename: "a[1](x)\\.png", markdown_url: "/m" };
    expect(attachmentMarkdown({ ...file, content_type: "image/png" })).toBe("![a\\[1\\]\\(x\\)\\\\.png](/m)");
    expect(attachmentMarkdown({ ...file, content_type: "text/plain" })).toBe("!file[a\\[1\\]\\(x\\)\\\\.png](/m)");
  });
});

describe("secrets of triggers", () => {
  const trigger = (more: object) => ({ id: "t", autopilot_id: "a", kind: "webhook", enabled: true, ...more }) as AutopilotTrigger;

  it("are taken out, but for a hint", () => {
    expect(withoutSecrets(trigger({ webhook_token: "abcdefgh", webhook_url: "https://x/abcdefgh" }))).toMatchObject({ webhook_token: null, webhook_path: null, webhook_url: null, has_webhook_token: true, webhook_token_hint: "efgh" });
    expect(withoutSecrets(trigger({ webhook_token: "abc" }))).toMatchObject({ webhook_token: null, webhook_token_hint: null });
    expect(withoutSecrets(trigger({ kind: "schedule", webhook_token: null }))).toMatchObject({ has_webhook_token: false });
    expect(withoutSecrets(trigger({ kind: "schedule" }))).not.toHaveProperty("has_webhook_token");
  });
});

describe("what a resource points at", () => {
  it("keeps a ref that looks like a number, takes a whole payload, merges and removes", () => {
    expect(resourceRef("github_repo", { url: "u", ref: "1234567" })).toEqual({ url: "u", ref: "1234567" });
    expect(resourceRef("other", { ref: '{"x":1}' })).toEqual({ x: 1 });
    expect(resourceRef("github_repo", { ref: "" }, { url: "u", ref: "a", more: 1 })).toEqual({ url: "u", more: 1 });
    expect(resourceRef("github_repo", {}, { url: "u" })).toBeUndefined();
    expect(resourceRef("local_directory", { "local-path": "/p", "daemon-id": "d", "execution-mode": "worktree" })).toEqual({ local_path: "/p", daemon_id: "d", execution_mode: "worktree" });
  });

  it.each([
    ["github_repo", {}, "needs --url"],
    ["github_repo", { ref: "{x" }, "begins like JSON"],
    ["local_directory", { "local-path": "/p" }, "needs --daemon-id"],
    ["local_directory", { "local-path": "/p", "daemon-id": "d", ref: "main" }, "must be JSON"],
    ["other", {}, "needs --ref"],
  ])("refuses %s with %j", (type, flags, text) => {
    expect(() => resourceRef(type, flags)).toThrow(text);
  });
});
