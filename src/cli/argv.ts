const GLOBAL_VALUES = new Set(["--profile", "--server-url", "--workspace-id", "--output"]);
const GLOBAL_SWITCHES = new Set(["--json", "--debug"]);
const QUESTIONS = new Set(["--help", "-h", "--version"]);

/**
 * Brings global flags behind the command's words, wherever they stand, without touching any value (cli.md 6.5 a–c).
 * The walk ends at the first flag that is not global, so what follows it is never misread.
 */
export function normalizeArgv(argv: readonly string[]): string[] {
  const words: string[] = [];
  const globals: string[] = [];
  let at = 0;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
    } else if (GLOBAL_SWITCHES.has(word) || isGlobalPair(word)) {
      globals.push(word);
    } else if (GLOBAL_VALUES.has(word) && at + 1 < argv.length) {
      globals.push(word, argv[at + 1] ?? "");
      at += 1;
    } else {
      break;
    }
  }
  const rest = argv.slice(at);
  if (words.length === 0 && (rest.length === 0 || QUESTIONS.has(rest[0] ?? ""))) return rest.slice(0, 1);
  return bareToken(words, [...globals, ...rest]);
}

function isGlobalPair(word: string): boolean {
  const cut = word.indexOf("=");
  return cut > 0 && (GLOBAL_VALUES.has(word.slice(0, cut)) || GLOBAL_SWITCHES.has(word.slice(0, cut)));
}

/** `login --token` without a value asks for it: written as an empty value, which the parser accepts (cli.md 6.5 c). */
function bareToken(words: readonly string[], flags: readonly string[]): string[] {
  const login = words[0] === "login" || (words[0] === "auth" && words[1] === "login");
  if (!login) return [...words, ...flags];
  const end = flags.indexOf("--");
  const patched = flags.map((flag, index) => {
    if (flag !== "--token" || (end !== -1 && index > end)) return flag;
    const next = flags[index + 1];
    return next === undefined || (next.startsWith("-") && next !== "-") ? "--token=" : flag;
  });
  return [...words, ...patched];
}

/** True when the line asks for help and nothing else may run: `--help` or `-h` before `--`. */
export function asksForHelp(argv: readonly string[]): boolean {
  return beforeDashes(argv).some((word) => word === "--help" || word === "-h");
}

/** True when `--json` itself was given: failures then add one document on stdout (cli.md 6.4.5). */
export function wantsErrorDocument(argv: readonly string[]): boolean {
  return beforeDashes(argv).some((word) => word === "--json" || /^--json=(?:1|t|true)$/i.test(word));
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end === -1 ? argv : argv.slice(0, end);
}

const TRUE_WORDS = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE_WORDS = new Set(["0", "f", "F", "false", "FALSE", "False"]);

export interface BooleanFlag {
  readonly name: string;
  readonly allowNo: boolean;
}

export type BooleanResult =
  | { readonly kind: "ok"; readonly argv: string[]; readonly explicitFalse: string[] }
  | { readonly kind: "bad"; readonly flag: string; readonly value: string };

/**
 * `--flag=true` → `--flag`; `--flag=false` → `--no-flag` where that exists, else the flag is dropped and reported as
 * explicitly false (cli.md 6.5 b). Never looks past `--`.
 */
export function normalizeBooleans(argv: readonly string[], flags: readonly BooleanFlag[]): BooleanResult {
  const result: string[] = [];
  const explicitFalse: string[] = [];
  const end = argv.indexOf("--");
  for (const [index, word] of argv.entries()) {
    const match = end !== -1 && index >= end ? null : /^--([a-z0-9-]+)=(.*)$/s.exec(word);
    const flag = match === null ? undefined : flags.find((candidate) => candidate.name === match[1]);
    const value = match?.[2] ?? "";
    if (flag === undefined) result.push(word);
    else if (TRUE_WORDS.has(value)) result.push(`--${flag.name}`);
    else if (!FALSE_WORDS.has(value)) return { kind: "bad", flag: flag.name, value };
    else if (flag.allowNo) result.push(`--no-${flag.name}`);
    else explicitFalse.push(flag.name);
  }
  return { kind: "ok", argv: result, explicitFalse };
}
