import { EXIT, MulticaError } from "../lib/core/index.ts";
import { type Access, checkAccess, envText, readSigns, resolveContext, type RunContext } from "../lib/config/index.ts";
import { homeDir, processEnv } from "../lib/platform/index.ts";
import { jsonText, processStreams } from "../views/output.ts";
import { normalizeBooleans } from "./argv.ts";
import { rememberCommand } from "./failure.ts";
import { globalFlags } from "./flags.ts";
import { Command } from "./oclif.ts";
import type { Config, Input, ParserOutput } from "@oclif/core/interfaces";

type Values = Record<string, unknown>;

/** The values of the flags that every command has. */
export interface GlobalValues {
  readonly profile?: string | undefined;
  readonly "server-url"?: string | undefined;
  readonly "workspace-id"?: string | undefined;
  readonly output?: string | undefined;
  readonly json?: boolean | undefined;
}

/**
 * What all commands share: the guard before anything is read, one form of output, errors that reach the entry unchanged.
 * A command parses, calls one library function and prints; everything else lives in the library (cli.md 6.3).
 */
export abstract class BaseCommand extends Command {
  /** Where the command may run (cli.md 3.6). Every class states it; a test compares it with the table. */
  static access: Access;
  static override enableJsonFlag = true;
  static override baseFlags = globalFlags;

  protected readonly env = processEnv();
  /** Booleans given as `--flag=false` that have no `--no-` form. */
  protected explicitFalse: readonly string[] = [];

  constructor(argv: string[], config: Config) {
    super(argv, config as ConstructorParameters<typeof Command>[1]);
  }

  /** The working directory and home of this run: the only places a relative path or a profile starts from. */
  protected get cwd(): string {
    return process.cwd();
  }

  protected get home(): string {
    return homeDir(this.env);
  }

  protected get words(): string {
    return (this.id ?? "").replaceAll(":", " ");
  }

  // The guard must stand here: errors thrown by the framework's hooks are swallowed, and parsing may read stdin.
  override async init(): Promise<void> {
    const { access } = this.constructor as typeof BaseCommand;
    const hasRoot = envText(this.env, "MULTICA_TASK_CONFIG_ROOT") !== undefined;
    checkAccess(access, this.words, readSigns(this.env, this.cwd), hasRoot);
    return Promise.resolve();
  }

  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    const flags = { ...globalFlags, ...(this.constructor as typeof BaseCommand).flags };
    const booleans = Object.entries(flags).flatMap(([name, flag]) => {
      return flag.type === "boolean" ? [{ name, allowNo: flag.allowNo === true }] : [];
    });
    const result = normalizeBooleans(argv, booleans);
    if (result.kind === "bad") {
      throw new MulticaError("usage", `--${result.flag}: ${JSON.stringify(result.value)} is neither true nor false`, { exit: EXIT.usage });
    }
    this.explicitFalse = result.explicitFalse;
    const parsed = await super.parse(options, result.argv);
    checkOutput(result.argv, parsed.flags);
    return parsed;
  }

  /** In whose name, against which server, in which workspace this command runs. */
  protected context(flags: GlobalValues): RunContext {
    return resolveContext({
      env: this.env,
      cwd: this.cwd,
      home: this.home,
      flags: { profile: flags.profile, serverUrl: flags["server-url"], workspaceId: flags["workspace-id"] },
    });
  }

  /** True when stdout carries one JSON document. */
  protected wantsJson(flags: GlobalValues): boolean {
    return flags.json === true || flags.output === "json";
  }

  /** The command's one result: the JSON document, or the text made for people. Called exactly once. */
  protected async emit(flags: GlobalValues, value: unknown, text: () => string | Promise<string>): Promise<void> {
    processStreams.out(this.wantsJson(flags) ? jsonText(value) : await text());
  }

  /** A line on stderr in every mode: confirmations, cursors, warnings. */
  protected note(line: string): void {
    processStreams.err(`${line}\n`);
  }

  /** Ends with this status after the result was printed: for answers that are no errors but not "yes" either. */
  protected endWith(exit: number): never {
    throw Object.assign(new Error(`exit ${exit}`), { code: "EEXIT", oclif: { exit } });
  }

  /** The names of the flags that stood on the command line, also with an empty value or as `--flag=false`. */
  protected setFlags(raw: readonly RawToken[]): ReadonlySet<string> {
    const typed = raw.flatMap((token) => (token.type === "flag" && token.flag !== undefined ? [token.flag] : []));
    return new Set([...typed, ...this.explicitFalse]);
  }

  // The framework would print JSON, decorate messages and lose exit codes (cli.md 6.4.3): the entry renders errors.
  override jsonEnabled(): boolean {
    return false;
  }

  protected override catch(error: Error): Promise<never> {
    rememberCommand(error, this.id ?? "");
    return Promise.reject(error);
  }
}

/** `--json` and `--output json` are one switch; `--json` with another form is a usage error (cli.md 6.4). */
function checkOutput(argv: readonly string[], flags: GlobalValues): void {
  const explicit = argv.some((word) => word === "--output" || word.startsWith("--output="));
  if (flags.json !== true || !explicit || flags.output === "json") return;
  throw new MulticaError("usage", `--json and --output ${flags.output ?? ""} exclude each other`, { exit: EXIT.usage });
}

export interface RawToken {
  readonly type: string;
  readonly flag?: string;
}
