import { isLoopbackHost } from "../../platform/index.ts";

/**
 * Why a CLI callback URL must not receive a session, or null when it may: only plain http to this machine or to a
 * private address, so that no page on the internet can have a token sent to itself (server-api.md 14.2 b).
 */
export function callbackProblem(callback: string): string | null {
  if (!URL.canParse(callback)) return "The callback is not a URL.";
  const url = new URL(callback);
  if (url.protocol !== "http:") return "The callback must be an http URL.";
  if (url.username !== "" || url.password !== "") return "The callback must not carry credentials.";
  if (isLoopbackHost(url.hostname) || isPrivateAddress(url.hostname)) return null;
  return "The callback must be on this machine or on a private address.";
}

/** RFC 1918 addresses in dotted form; the URL parser has already brought other spellings into it. */
function isPrivateAddress(host: string): boolean {
  const parts = host.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return false;
  const [first = 0, second = 0] = parts;
  return first === 10 || (first === 172 && second >= 16 && second <= 31) || (first === 192 && second === 168);
}
