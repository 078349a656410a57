import { usage } from "../resolve.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What every command without a person at its terminal gets: plain output that nobody pages (exec-sessions.md 2, 16.4). */
const PLAIN: Readonly<Record<string, string>> = {
  NO_COLOR: "1",
  TERM: "dumb",
  LANG: "C.UTF-8",
  LC_CTYPE: "C.UTF-8",
  LC_ALL: "C.UTF-8",
  COLORTERM: "",
  PAGER: "cat",
  GIT_PAGER: "cat",
  GH_PAGER: "cat",
};

/** What a clean environment keeps. */
const BASICS = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];
/** Of the process that calls us, when that is one itself. */
const OURS = /^MULTICA_EXEC_/;

export interface CommandEnvironment {
  readonly env: Env;
  readonly clean: boolean;
  /** `K=V` each. */
  readonly set: readonly string[];
  /** A person's terminal: colours and its own type of terminal. */
  readonly person: boolean;
  /** The process may outlive the task whose token this is. */
  readonly outlives: boolean;
  readonly passToken: boolean;
}

/** The whole environment of a new command: the caller's, less what dies with the caller, plus what was asked for. */
export function commandEnvironment(options: CommandEnvironment): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env)) {
    if (value === undefined || OURS.test(name)) continue;
    if (options.clean && !BASICS.includes(name)) continue;
    if (name === "MULTICA_TOKEN" && options.outlives && !options.passToken) continue;
    result[name] = value;
  }
  Object.assign(result, options.person ? { TERM: options.env["TERM"] ?? "xterm-256color" } : PLAIN);
  for (const pair of options.set) {
    const cut = pair.indexOf("=");
    if (cut <= 0) throw usage(`--env ${JSON.stringify(pair)} is not NAME=value`);
    result[pair.slice(0, cut)] = pair.slice(cut + 1);
  }
  return result;
}
