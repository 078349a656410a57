import { BaseCommand } from "../../cli/base-command.ts";
import { argument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { lookUpThread, scopeOf } from "../../cli/session-find.ts";
import { homePlaces } from "../../cli/session-index.ts";

export default class SessionFind extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Print the path of a Codex session's file";
  static override readonly description = "Takes a whole thread id, or six or more characters of its beginning. Without --archived or --any live sessions come first, then archived ones.";
  static override readonly examples = ["multica session find 01a1fc69-c51a-7623-89f4-572681a88456", "multica session find 01a1fc69 --all --json"];
  static override readonly args = { thread: argument("thread id, or its beginning") };
  static override readonly flags = {
    archived: switchFlag("archived sessions only"),
    any: switchFlag("live sessions, then archived ones: what is done anyway"),
    home: textFlag("only in this home", { helpValue: "<dir>" }),
    "no-repair": switchFlag("leave the index as it is"),
    "no-index": switchFlag("search the files themselves; no database is touched"),
    all: switchFlag("print every file that carries the id"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SessionFind);
    const context = this.context(flags);
    const homes = flags.home === undefined ? [] : [flags.home];
    const places = await homePlaces({ context, env: this.env, home: this.home, cwd: this.cwd, homes });
    const use = { stateDir: context.stateDir, places, noIndex: flags["no-index"], note: (line: string) => this.note(line) };
    const home = flags.home === undefined ? undefined : places.extra[0];
    const { found, files } = await lookUpThread(use, { text: args.thread, scope: scopeOf(flags), home, repair: flags["no-repair"] !== true, all: flags.all === true });
    if (flags.debug === true) this.note((await import("../../views/sessions.ts")).foundText(found));
    const document = flags.all === true ? { ...found, files } : found;
    await this.emit(flags, document, () => (flags.all === true ? files.map((file) => `${file.path}\n`).join("") : `${found.rollout_path}\n`));
  }
}
