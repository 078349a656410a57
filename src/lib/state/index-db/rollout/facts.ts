import { asNumber, asString, isObject, parseJson } from "../../../core/index.ts";
import { parseTime } from "./name.ts";

/** What the index keeps of one thread, as far as its rollout says it (state-db.md 3). Null = the file does not say. */
export interface ThreadFacts {
  threadId: string | null;
  createdMs: number | null;
  title: string;
  firstUserMessage: string;
  preview: string;
  cwd: string | null;
  source: string | null;
  threadSource: string | null;
  originator: string | null;
  modelProvider: string | null;
  model: string | null;
  reasoningEffort: string | null;
  cliVersion: string | null;
  sandboxPolicy: string | null;
  approvalMode: string | null;
  tokensUsed: number;
  gitSha: string | null;
  gitBranch: string | null;
  gitOriginUrl: string | null;
  agentNickname: string | null;
  agentRole: string | null;
  agentPath: string | null;
  forkedFromId: string | null;
  parentThreadId: string | null;
  historyMode: string | null;
  memoryMode: string | null;
}

/** `no_meta`: readable, but what it is about comes from its name alone; `empty` and `unreadable` say nothing. */
export type RolloutStatus = "ok" | "empty" | "no_meta" | "unreadable";

export interface ReadRollout {
  readonly status: RolloutStatus;
  /** `threadId` and `createdMs` are null when neither content nor name gives them. */
  readonly facts: ThreadFacts;
  /** Lines that are no JSON, and lines too long to read. */
  readonly parseErrors: number;
  /** Up to where the file is made of whole lines, as far as it was looked at. */
  readonly parsedBytes: number;
}

const TITLE_MAX = 200;
const TEXT_MAX = 2000;
const REQUEST_HEADING = "## My request for Codex:";
/** The types that are read; everything else is passed over without parsing it: tool output can be very long. */
const READ_TYPES = new Set(["session_meta", "turn_context", "event_msg"]);
const TYPE = /^\s*\{"timestamp":"[^"]{0,40}",(?:"ordinal":\d+,)?"type":"([a-z_]+)"/;

/** Collects the facts of one rollout from its lines, given in the order of the file. Gaps between them are allowed. */
export class FactsReader {
  readonly facts: ThreadFacts = emptyFacts();
  /** Lines that did not parse. */
  errors = 0;
  /** Token totals met. */
  totals = 0;
  #goal = "";

  /** True when the head of the file has told what only the head tells. */
  get headDone(): boolean {
    return this.facts.threadId !== null && this.facts.firstUserMessage !== "";
  }

  /** One line without its end. `last`: the file ends here without a line end, so that half a line is no error. */
  read(bytes: Buffer, last = false): void {
    const line = withoutGap(bytes);
    if (line.length === 0) return;
    const type = TYPE.exec(line.toString("latin1", 0, 160))?.[1];
    if (type !== undefined && !READ_TYPES.has(type)) return;
    const value = parseJson(line.toString("utf8"));
    if (!isObject(value)) {
      if (!last) this.errors += 1;
      return;
    }
    const payload = value["payload"];
    if (!isObject(payload)) return;
    if (value["type"] === "session_meta") this.#meta(payload, asString(value["timestamp"]));
    else if (value["type"] === "turn_context") this.#turn(payload);
    else if (value["type"] === "event_msg") this.#event(payload);
  }

  /** The facts, with what follows from all lines together. */
  finish(): ThreadFacts {
    this.facts.preview = this.facts.firstUserMessage === "" ? cut(this.#goal, TEXT_MAX) : this.facts.firstUserMessage;
    return this.facts;
  }

  #meta(payload: Record<string, unknown>, lineTime: string): void {
    const { facts } = this;
    const id = asString(payload["id"]).toLowerCase();
    if (id === "") return;
    // A fork carries the records of its source: the first one is the file's own.
    if (facts.threadId !== null && facts.threadId !== id) return;
    facts.createdMs ??= parseTime(asString(payload["timestamp"])) ?? parseTime(lineTime);
    facts.threadId = id;
    const git = isObject(payload["git"]) ? payload["git"] : {};
    set(facts, "cwd", payload["cwd"]);
    set(facts, "source", payload["source"]);
    set(facts, "threadSource", payload["thread_source"]);
    set(facts, "originator", payload["originator"]);
    set(facts, "modelProvider", payload["model_provider"]);
    set(facts, "cliVersion", payload["cli_version"]);
    set(facts, "gitSha", git["commit_hash"]);
    set(facts, "gitBranch", git["branch"]);
    set(facts, "gitOriginUrl", git["repository_url"]);
    set(facts, "agentNickname", payload["agent_nickname"]);
    set(facts, "agentRole", payload["agent_role"]);
    set(facts, "agentPath", payload["agent_path"]);
    set(facts, "forkedFromId", payload["forked_from_id"]);
    set(facts, "parentThreadId", payload["parent_thread_id"]);
    set(facts, "historyMode", payload["history_mode"]);
    set(facts, "memoryMode", payload["memory_mode"]);
  }

  #turn(payload: Record<string, unknown>): void {
    const { facts } = this;
    if (facts.cwd === null) set(facts, "cwd", payload["cwd"]);
    set(facts, "model", payload["model"]);
    set(facts, "reasoningEffort", payload["effort"]);
    set(facts, "approvalMode", payload["approval_policy"]);
    set(facts, "sandboxPolicy", payload["sandbox_policy"] ?? payload["permission_profile"]);
  }

  #event(payload: Record<string, unknown>): void {
    const type = asString(payload["type"]);
    if (type === "user_message") this.#user(asString(payload["message"]), hasEntries(payload["images"]) || hasEntries(payload["local_images"]));
    else if (type === "item_completed" && isObject(payload["item"])) this.#item(payload["item"]);
    else if (type === "token_count" && isObject(payload["info"])) {
      const total = isObject(payload["info"]["total_token_usage"]) ? asNumber(payload["info"]["total_token_usage"]["total_tokens"]) : undefined;
      if (total === undefined) return;
      this.totals += 1;
      this.facts.tokensUsed = Math.max(0, Math.floor(total));
    } else if (type.includes("goal")) {
      const goal = isObject(payload["goal"]) ? payload["goal"] : payload;
      if (this.#goal === "") this.#goal = asString(goal["objective"]).trim();
    }
  }

  #item(item: Record<string, unknown>): void {
    if (item["type"] !== "UserMessage" || !Array.isArray(item["content"])) return;
    const entries = (item["content"] as unknown[]).filter(isObject);
    const kind = (entry: Record<string, unknown>): string => asString(entry["type"]).toLowerCase();
    const text = entries.filter((entry) => kind(entry) === "text").map((entry) => asString(entry["text"]));
    this.#user(text.join("\n"), entries.some((entry) => kind(entry).includes("image")));
  }

  /** Only the first message of the user counts; injected context before the request's heading does not. */
  #user(message: string, hasImage: boolean): void {
    if (this.facts.firstUserMessage !== "") return;
    const at = message.indexOf(REQUEST_HEADING);
    const text = (at === -1 ? message : message.slice(at + REQUEST_HEADING.length)).trim();
    if (text === "" && !hasImage) return;
    this.facts.firstUserMessage = text === "" ? "[Image]" : cut(text, TEXT_MAX);
    if (this.facts.title === "") this.facts.title = cut(text, TITLE_MAX);
  }
}

function emptyFacts(): ThreadFacts {
  return {
    threadId: null,
    createdMs: null,
    title: "",
    firstUserMessage: "",
    preview: "",
    cwd: null,
    source: null,
    threadSource: null,
    originator: null,
    modelProvider: null,
    model: null,
    reasoningEffort: null,
    cliVersion: null,
    sandboxPolicy: null,
    approvalMode: null,
    tokensUsed: 0,
    gitSha: null,
    gitBranch: null,
    gitOriginUrl: null,
    agentNickname: null,
    agentRole: null,
    agentPath: null,
    forkedFromId: null,
    parentThreadId: null,
    historyMode: null,
    memoryMode: null,
  };
}

type TextFact = { [K in keyof ThreadFacts]: null extends ThreadFacts[K] ? (string extends ThreadFacts[K] ? K : never) : never }[keyof ThreadFacts];

/** Later records win where they say something; an object (the source of a sub-agent, a policy) is kept as JSON. */
function set(facts: ThreadFacts, key: TextFact, value: unknown): void {
  if (typeof value === "string" && value !== "") facts[key] = cut(value, TEXT_MAX);
  else if (isObject(value)) facts[key] = cut(JSON.stringify(value), TEXT_MAX);
}

/** A crashed writer can leave a run of NUL bytes; what follows them is a whole line. */
function withoutGap(line: Buffer): Buffer {
  let at = 0;
  while (at < line.length && (line[at] === 0 || line[at] === 32 || line[at] === 13)) at += 1;
  return at === 0 ? line : line.subarray(at);
}

/** At most `limit` characters, never half of one. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = [...text.slice(0, limit * 2)];
  return characters.length <= limit && text.length <= limit * 2 ? text : characters.slice(0, limit).join("");
}

function hasEntries(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
