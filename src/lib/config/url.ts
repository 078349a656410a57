/**
 * The base URL of a server: `ws→http`, `wss→https`, a path of exactly `/ws` and everything after the path removed (cli.md 3.4).
 * Returns undefined for anything that is not an http(s) or ws(s) URL.
 */
export function parseServerUrl(raw: string): string | undefined {
  const text = raw.trim();
  if (!/^(?:https?|wss?):\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text.replace(/^ws/i, "http"));
  if (url.hostname === "") return undefined;
  const path = url.pathname === "/ws" ? "" : url.pathname.replace(/\/+$/, "");
  const user = url.username === "" ? "" : `${url.username}${url.password === "" ? "" : `:${url.password}`}@`;
  return `${url.protocol}//${user}${url.host}${path}`;
}

/** The normalised base URL, or the trimmed text itself when it cannot be normalised: the request then fails as a network error. */
export function normalizeServerUrl(raw: string): string {
  return parseServerUrl(raw) ?? raw.trim();
}

/** True when the server is the official cloud: host exactly `api.multica.ai`, whatever case, port and path (daemon.md 3.2). */
export function isOfficialCloud(serverUrl: string): boolean {
  return URL.canParse(serverUrl) && new URL(serverUrl).hostname.toLowerCase() === "api.multica.ai";
}
