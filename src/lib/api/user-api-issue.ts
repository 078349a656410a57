import type { Comment, Issue, IssueUsage, Label, SearchHit, Subscriber, TimelineEntry } from "../wire/index.ts";
import type { Http, RequestOptions } from "./http.ts";
import { listIn, typedCall } from "./typed-call.ts";

export type Metadata = Record<string, unknown>;

/** What belongs to one issue besides its fields and comments (server-api.md 13.3.5, 13.4). `issue` is its id. */
export function createIssueExtrasApi(http: Http) {
  const call = typedCall(http);
  const path = (issue: string, ...rest: string[]): string => ["/api/issues", ...[issue, ...rest].map(encodeURIComponent)].join("/");
  const metadata = async (answer: Promise<{ metadata?: Metadata } | null>): Promise<Metadata> => (await answer)?.metadata ?? {};
  const labels = async (answer: Promise<unknown>): Promise<Label[]> => listIn<Label>(await answer, "labels");

  return {
    children: async (issue: string) => listIn<Issue>(await call("GET", path(issue, "children")), "issues"),
    search: async (query: NonNullable<RequestOptions["query"]>) => listIn<SearchHit>(await call("GET", "/api/issues/search", { query }), "issues"),
    pullRequests: async (issue: string) => listIn<Record<string, unknown>>(await call("GET", path(issue, "pull-requests")), "pull_requests"),
    usage: (issue: string) => call<IssueUsage>("GET", path(issue, "usage")),
    timeline: async (issue: string) => {
      const { body, headers } = await http.request("GET", path(issue, "timeline"));
      return { entries: listIn<TimelineEntry>(body, "entries"), truncated: headers.get("X-Timeline-Truncated") ?? "" };
    },

    metadata: (issue: string) => metadata(call("GET", path(issue, "metadata"))),
    setMetadata: (issue: string, key: string, value: unknown) => metadata(call("PUT", path(issue, "metadata", key), { body: { value } })),
    deleteMetadata: (issue: string, key: string) => call<null>("DELETE", path(issue, "metadata", key)),

    labels: (issue: string) => labels(call("GET", path(issue, "labels"))),
    addLabel: (issue: string, label: string) => labels(call("POST", path(issue, "labels"), { body: { label_id: label } })),
    removeLabel: (issue: string, label: string) => call<null>("DELETE", path(issue, "labels", label)),

    subscribers: async (issue: string) => listIn<Subscriber>(await call("GET", path(issue, "subscribers")), "subscribers"),
    subscribe: (issue: string, body: object) => call<Record<string, unknown>>("POST", path(issue, "subscribe"), { body }),
    unsubscribe: (issue: string, body: object) => call<Record<string, unknown>>("POST", path(issue, "unsubscribe"), { body }),

    resolveComment: (comment: string, resolved: boolean) =>
      call<Comment>(resolved ? "POST" : "DELETE", `/api/comments/${encodeURIComponent(comment)}/resolve`, resolved ? { body: {} } : {}),
    squadEvaluated: (issue: string, body: { outcome: string; reason: string }) => call<Record<string, unknown>>("POST", path(issue, "squad-evaluated"), { body }),
  };
}
