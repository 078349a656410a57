import { EXIT, MulticaError } from "../core/index.ts";

/** Transports that git carries out by itself. Everything else would start a helper program named by the URL. */
const SCHEMES = new Set(["http", "https", "ssh", "git", "git+ssh", "ssh+git", "file"]);
const MAX_URL = 2048;

export interface UrlParts {
  /** Host with its port, as written, without user info; empty when the URL has none. */
  readonly host: string;
  readonly path: string;
}

/**
 * The trimmed URL, or `repo_url_refused` (exit 5) for one that git could take for an option or a command:
 * leading dash, control characters, `helper::address`, unknown scheme, host that begins with a dash (repocache.md 1.1).
 */
export function checkedUrl(raw: string): string {
  const url = raw.trim();
  const fault = urlFault(url);
  if (fault === undefined) return url;
  throw new MulticaError("repo_url_refused", `repository URL refused: ${fault}: ${JSON.stringify(maskCredentials(url).slice(0, 200))}`, {
    exit: EXIT.validation,
    suggestions: ["Use an https, ssh or file URL, or git@host:owner/name."],
  });
}

function urlFault(url: string): string | undefined {
  if (url === "") return "it is empty";
  if (url.length > MAX_URL) return `it is longer than ${MAX_URL} characters`;
  if (url.startsWith("-")) return "it begins with a dash";
  if (hasControl(url) || hasControl(decoded(url))) return "it contains a control character";
  if (/^[A-Za-z0-9+.-]+::/.test(url)) return "it names a transport helper";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.has(scheme)) return `unknown scheme ${scheme}`;
  if (splitUrl(url).host.startsWith("-")) return "its host begins with a dash";
  return undefined;
}

function hasControl(text: string): boolean {
  return /[\u0000-\u001f\u007f]/.test(text);
}

/** Host and path of a repository URL; a text with neither scheme nor `host:` is all path. The host never has a slash. */
export function splitUrl(url: string): UrlParts {
  const full = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]+)([^?#]*)/.exec(url);
  if (full !== null) {
    const authority = full[1] ?? "";
    return { host: authority.slice(authority.lastIndexOf("@") + 1), path: decoded(full[2] ?? "").replace(/^\//, "") };
  }
  const bare = url.slice(url.indexOf("@") + 1);
  const colon = bare.indexOf(":");
  // As git has it: with a slash before the colon the text is a path, not host:path.
  const isPath = colon === -1 || bare.slice(0, colon).includes("/");
  return isPath ? { host: "", path: url } : { host: bare.slice(0, colon), path: bare.slice(colon + 1) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Texts for logs, errors and messages: `://user:secret@` becomes `://***@` (repocache.md 2). */
export function maskCredentials(text: string): string {
  return text.replace(/([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s/@'"]*(?:@[^\s/@'"]*)*@/g, "$1***@");
}
