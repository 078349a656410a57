import type { ChatTranscript, InboxItem, User } from "../wire/index.ts";
import type { Http } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

interface Page {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
}

/** The conversation of the running chat task; the server knows which one from the task's token (server-api.md 13.14). */
export function createChatApi(http: Http) {
  const call = typedCall(http);
  return {
    history: (page: Page) => call<ChatTranscript>("GET", "/api/chat/history", { query: { ...page } }),
    thread: (id: string | undefined, page: Page) => call<ChatTranscript>("GET", "/api/chat/thread", { query: { id, ...page } }),
  };
}

type ManyAction = "mark-all-read" | "archive-all" | "archive-all-read" | "archive-completed";

/** A person's inbox and profile (server-api.md 13.1.4, 13.15); task tokens are refused there. */
export function createPersonApi(http: Http) {
  const call = typedCall(http);
  return {
    inbox: async (archived: boolean) => listIn<InboxItem>(await call("GET", archived ? "/api/inbox/archived" : "/api/inbox"), "items"),
    unread: () => call<{ count: number }>("GET", "/api/inbox/unread-count"),
    mark: (id: string, action: "read" | "unread" | "archive" | "unarchive") => call<InboxItem>("POST", `/api/inbox/${encodeURIComponent(id)}/${action}`, { body: {} }),
    markMany: (action: ManyAction) => call<{ count: number }>("POST", `/api/inbox/${action}`, { body: {} }),
    setProfile: (text: string) => call<User>("PATCH", "/api/me", { body: { profile_description: text } }),
  };
}
