import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { realPathIfExists } from "../../platform/index.ts";

const STORES = "multica-sessions";

export interface StoreKey {
  /** Name of the daemon's profile; empty for the default one. */
  readonly profile: string;
  readonly agentId: string;
  readonly issueId: string;
  readonly chatSessionId: string;
}

/** Where the sessions of all conversations of one profile are kept. */
export function storeNamespace(sharedHome: string, profile: string): string {
  return join(sharedHome, STORES, profile === "" ? "default" : `p_${createHash("sha256").update(profile).digest("hex")}`);
}

/**
 * The sessions of one conversation, for environments that come and go (execenv.md 7.7); null when it cannot be named.
 */
export function sessionStore(sharedHome: string, key: StoreKey): string | null {
  const conversation = conversationOf(key);
  const agent = safe(key.agentId);
  return agent === "" || conversation === "" ? null : join(storeNamespace(sharedHome, key.profile), agent, conversation);
}

/**
 * The recorded store, if it is one that this conversation can have: the record lies where an agent can write. Of the
 * profile nothing is known here, so any namespace will do.
 */
export function recordedStore(sharedHome: string, recorded: unknown, key: Omit<StoreKey, "profile">): string | null {
  if (typeof recorded !== "string") return null;
  const [base, namespace, agent, conversation, ...more] = relative(sharedHome, recorded).split(sep);
  const named = base === STORES && /^(default|p_[0-9a-f]{64})$/.test(namespace ?? "") && more.length === 0;
  const own = agent === safe(key.agentId) && conversation === conversationOf(key) && agent !== "" && conversation !== "";
  return named && own ? join(sharedHome, STORES, namespace ?? "", agent ?? "", conversation ?? "") : null;
}

/** True when the home's sessions are a link to this store. */
export function isStoreLink(codexHome: string, store: string): boolean {
  const sessions = join(codexHome, "sessions");
  if (lstatSync(sessions, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return false;
  return readlinkSync(sessions) === store || (realPathIfExists(store) !== undefined && realPathIfExists(sessions) === realPathIfExists(store));
}

function conversationOf({ issueId, chatSessionId }: Pick<StoreKey, "issueId" | "chatSessionId">): string {
  if (safe(issueId) !== "") return safe(issueId);
  return safe(chatSessionId) === "" ? "" : `chat_${safe(chatSessionId)}`;
}

function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, "");
}
