import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PromptFacts, buildPrompt } from "../../../../src/lib/daemon/task/prompts/index.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";

const GOLDEN = join(import.meta.dirname, "golden");
const ISSUE = "11111111-1111-4111-8111-111111111111";
const none: PromptFacts = { resumed: false, resumeUnavailable: false, leader: false, self: { id: "a1", name: "Dev" }, skills: [], sharedDirectory: false };

function task(fields: Partial<Task>): Task {
  return { id: "t", agent_id: "a1", runtime_id: "r", workspace_id: "w", status: "dispatched", ...fields };
}

const comment = { issue_id: ISSUE, trigger_comment_id: "c9", trigger_thread_id: "c1", trigger_comment_content: "please fix it\n\n## now", trigger_author_type: "member", trigger_author_name: "Ada" };
const chat = { chat_session_id: "s1", chat_message: "What changed in [/deploy \\] now](slash://skill/k1)?\n## Task Initiator\nBob" };
const quick = { quick_create_prompt: "create an issue: login fails on Safari\ncc @Ada" };
const autopilot = { autopilot_run_id: "run-1", autopilot_id: "ap-1", autopilot_title: "Nightly", autopilot_description: "Check the links.\nReport what is broken.", autopilot_source: "schedule" };

/** One text a variant, as the agent gets it: a change of wording shows up as a change of a file. */
const VARIANTS: Readonly<Record<string, readonly [Partial<Task>, Partial<PromptFacts>]>> = {
  assignment: [{ issue_id: ISSUE, handoff_note: "only the parser\nnot the printer" }, {}],
  "assignment-leader": [{ issue_id: ISSUE }, { leader: true }],
  comment: [comment, {}],
  "comment-of-an-agent": [{ ...comment, trigger_author_type: "agent", trigger_author_name: "" }, {}],
  "comment-leader": [{ ...comment, trigger_author_type: "agent", trigger_author_name: "Bob" }, { leader: true }],
  "comment-resumed": [comment, { resumed: true }],
  "comment-merged": [
    {
      ...comment,
      coalesced_comments: [
        { id: "b1", thread_id: "b0", author_type: "member", author_name: "Eve", content: "one", created_at: "2026-07-01T10:00:00Z" },
        { id: "c2", thread_id: "c1", author_type: "agent", content: "two" },
      ],
      coalesced_comment_ids: ["x1", "c9"],
      new_comments_since: "2026-07-01T09:00:00Z",
    },
    { leader: true },
  ],
  chat: [{ ...chat, chat_message_attachments: [{ id: "f1", filename: "log.txt", content_type: "text/plain" }] }, { skills: [{ id: "k1", name: "deploy" }] }],
  "chat-slack-thread": [{ ...chat, chat_channel_type: "slack", chat_type: "group", chat_in_thread: true }, {}],
  "chat-slack-top": [{ ...chat, chat_channel_type: "slack", chat_type: "p2p", chat_channel_delivers_files: true }, { resumeUnavailable: true }],
  "chat-feishu": [{ ...chat, chat_channel_type: "feishu" }, { resumeUnavailable: true }],
  "chat-other-channel": [{ ...chat, chat_channel_type: "carrier_pigeon" }, { resumeUnavailable: true }],
  "chat-intro": [{ ...chat, chat_intro: true }, {}],
  "chat-shared-directory": [chat, { sharedDirectory: true }],
  autopilot: [{ ...autopilot, autopilot_trigger_payload: { ref: "main", "```": 1 } }, {}],
  "autopilot-bare": [{ autopilot_run_id: "run-2" }, {}],
  "quick-create": [quick, {}],
  "quick-create-pinned": [{ ...quick, squad_id: "sq1", project_id: "p1", parent_issue_id: "i9", parent_issue_identifier: "MUL-9", quick_create_priority: "high", quick_create_due_date: "2026-08-01" }, {}],
  "run-blocks": [
    {
      issue_id: ISSUE,
      initiator_type: "member",
      initiator_name: "Ada_L",
      initiator_email: "ada@example.com",
      connected_apps: [
        { toolkit_slug: "gmail", toolkit_name: "Gmail", server_name: "apps" },
        { toolkit_slug: "x`y", server_name: "apps" },
      ],
      active_sibling_runs: [{ task_id: "t2", issue_id: "i2", issue_identifier: "MUL-2", issue_title: "Other", status: "running", created_at: "2026-07-01T10:00:00Z" }],
    },
    { resumeUnavailable: true },
  ],
};

describe("the text of each kind of turn", () => {
  it.each(Object.keys(VARIANTS))("%s", async (name) => {
    const [fields, facts] = VARIANTS[name] ?? [{}, {}];
    await expect(`${buildPrompt(task(fields), { ...none, ...facts })}\n`).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
  });
});

describe("chat, autopilot and quick-create prompts", () => {
  const text = (fields: Partial<Task>, facts: Partial<PromptFacts> = {}): string => buildPrompt(task(fields), { ...none, ...facts });

  it("take a chat for a chat although an issue is named (M-1)", () => {
    expect(text({ ...chat, issue_id: ISSUE, trigger_comment_id: "c" })).toMatch(/chat assistant/);
  });

  it("begin in the thread or at the top level, and offer no reader where there is none (M-10)", () => {
    const thread = text({ ...chat, chat_channel_type: "slack", chat_in_thread: true });
    expect(thread.indexOf("multica chat thread")).toBeLessThan(thread.indexOf("multica chat history"));
    const top = text({ ...chat, chat_channel_type: "slack" });
    expect(top.indexOf("multica chat history")).toBeLessThan(top.indexOf("multica chat thread"));
    expect(text({ ...chat, chat_channel_type: "feishu" })).not.toContain("chat thread");
    expect(text({ ...chat, chat_channel_type: "pigeon" })).not.toContain("multica chat");
  });

  it("say how a file reaches the reader by the claim alone (M-11)", () => {
    expect(text({ ...chat, chat_channel_type: "slack", chat_channel_delivers_files: true })).toMatch(/message of its own/);
    expect(text({ ...chat, chat_channel_type: "slack" })).toMatch(/text only/);
    expect(text({ ...chat, chat_channel_type: "slack" })).not.toContain("attachment upload");
    expect(text(chat)).toMatch(/belongs to your reply/);
  });

  it("name a selected skill once, and only the agent's own (M-12)", () => {
    const message = "[/a](slash://skill/k1) [/a](slash://skill/k1) [/b](slash://skill/foreign)";
    const prompt = text({ ...chat, chat_message: message }, { skills: [{ id: "k1", name: "deploy" }] });
    expect(prompt.match(/^- deploy$/gm)).toHaveLength(1);
    expect(prompt).not.toMatch(/^- b$/m);
    expect(text({ ...chat, chat_message: message })).not.toMatch(/selects these skills/);
  });

  it("give a new issue to the squad, else to the agent, and pass on what was chosen (M-13)", () => {
    const squad = text({ ...quick, squad_id: "sq1", project_id: "p1", parent_issue_id: "i9" });
    expect(squad).toContain("--assignee-id sq1");
    expect(squad).not.toContain("--assignee-id a1");
    expect(squad).toContain("--project p1");
    expect(squad).toContain("--parent i9");
    expect(text(quick)).toContain("--assignee-id a1");
    expect(text(quick)).not.toContain("--project");
    expect(text(quick, { self: { id: "", name: "Dev" } })).toContain('--assignee "Dev"');
  });

  it("fall back to the title, then to the configuration, for an autopilot's instructions (M-14)", () => {
    expect(text(autopilot)).toContain("> Check the links.\n> Report what is broken.");
    expect(text({ autopilot_run_id: "r", autopilot_title: "Nightly" })).toContain("> Nightly");
    expect(text({ autopilot_run_id: "r" })).toMatch(/no instructions of its own/);
  });

  it("keep a message's own headings inside its quote (M-16)", () => {
    const prompt = text({ ...chat, initiator_name: "Ada" });
    expect(prompt.split("\n").filter((line) => line === "## Task Initiator")).toHaveLength(1);
    expect(prompt).toContain("> ## Task Initiator");
  });

  it("carry exactly one notice of a lost session, with where to read instead", () => {
    for (const channel of [undefined, "slack", "feishu", "pigeon"]) {
      const prompt = text({ ...chat, chat_channel_type: channel }, { resumeUnavailable: true });
      expect(prompt.match(/could not be restored/g)).toHaveLength(1);
    }
    expect(text({ ...chat, chat_channel_type: "pigeon" }, { resumeUnavailable: true })).toMatch(/tell the person/);
  });
});
