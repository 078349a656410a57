import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { profileCommand } from "../../config/index.ts";
import { EXIT, MulticaError, isObject, parseJson, redactSecrets } from "../../core/index.ts";
import type { ExitFacts } from "../../platform/index.ts";

export interface LogMark {
  readonly path: string;
  /** Size before this attempt. */
  readonly offset: number;
}

interface DeathFacts {
  readonly log: LogMark;
  readonly crashLog: LogMark;
  readonly exit: ExitFacts;
  readonly profile: string;
  readonly serverUrl: string;
}

const READ_BYTES = 64 * 1024;
const LINES = 40;
const SHOWN = 5;
const OWN_ERROR = "Error: ";
const REJECTED = /auth token rejected|returned 401|not authenticated/i;
const UNREACHABLE = /connection refused|no such host|i\/o timeout|network is unreachable|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|cannot connect to the server|server cannot be reached|did not answer in time|address cannot be resolved/i;

/**
 * Why a child died before it was ready, read from what this attempt wrote to the two logs (cli.md 5.4). A rejected token is
 * exit 3 and an unreachable server exit 6, both without raw log lines; anything else has the child's own status and its last lines.
 */
export function earlyDeath(facts: DeathFacts): MulticaError {
  const log = newLines(facts.log);
  const crash = newLines(facts.crashLog);
  const all = [...log, ...crash].join("\n");
  if (REJECTED.test(all)) {
    return new MulticaError("not_signed_in", "the server rejects the stored token", {
      exit: EXIT.notSignedIn,
      suggestions: [`Run ${profileCommand(facts.profile, "login")}.`],
    });
  }
  if (UNREACHABLE.test(all)) {
    return new MulticaError("server_unreachable", `the server at ${facts.serverUrl} cannot be reached`, {
      exit: EXIT.unreachable,
      suggestions: ["Check that it runs (`multica server start` starts the embedded one) and that the address is right."],
    });
  }
  const shown = [...log.flatMap(loudText).slice(-SHOWN), ...crash.slice(-SHOWN)].map((line) => redactSecrets(line));
  const code = facts.exit.code ?? EXIT.failed;
  const how = facts.exit.signal === null ? `exit status ${code}` : `signal ${facts.exit.signal}`;
  // What the child itself called its error is the one line a person needs; the others are its circumstances.
  const cause = shown.findLast((line) => line.startsWith(OWN_ERROR)) ?? shown.at(-1);
  const others = [...new Set(shown)].filter((line) => line !== cause && line !== cause?.slice(OWN_ERROR.length));
  return new MulticaError("daemon_died", `the daemon did not start (${how})${cause === undefined ? "" : `: ${cause.replace(OWN_ERROR, "")}`}`, {
    exit: code === 0 ? EXIT.failed : code,
    suggestions: [...others, `Logs: ${facts.log.path}, ${facts.crashLog.path}`],
  });
}

/** The last non-blank lines written behind the mark. */
function newLines(mark: LogMark): string[] {
  return tailText(mark)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(-LINES);
}

function tailText(mark: LogMark): string {
  let fd: number;
  try {
    fd = openSync(mark.path, "r");
  } catch {
    return "";
  }
  try {
    const size = fstatSync(fd).size;
    // Smaller than before: it was rolled, everything in it is new.
    const from = Math.max(size < mark.offset ? 0 : mark.offset, size - READ_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from)).toString("utf8");
  } catch {
    return "";
  } finally {
    closeSync(fd);
  }
}

/** The message of a log line that is a warning or worse; a line that is not ours stays as it is. */
function loudText(line: string): string[] {
  const entry = parseJson(line);
  if (!isObject(entry)) return [line];
  if (entry["level"] === "debug" || entry["level"] === "info") return [];
  const error = typeof entry["error"] === "string" ? `: ${entry["error"]}` : "";
  return [`${String(entry["msg"] ?? "")}${error}`];
}
