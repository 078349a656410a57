import { BaseCommand } from "../../cli/base-command.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { lookUpThread } from "../../cli/session-find.ts";
import { homePlaces } from "../../cli/session-index.ts";

export default class SessionShow extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show what is known about one Codex session, and every file that carries it";
  static override readonly examples = ["multica session show 01a1fc69", "multica session show 01a1fc69-c51a-7623-89f4-572681a88456 --json"];
  static override readonly args = { thread: argument("thread id, or its beginning") };
  static override readonly flags = {
    "no-index": switchFlag("read the files themselves; no database is touched"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SessionShow);
    const context = this.context(flags);
    const places = await homePlaces({ context, env: this.env, home: this.home, cwd: this.cwd });
    const use = { stateDir: context.stateDir, places, noIndex: flags["no-index"], note: (line: string) => this.note(line) };
    const { found, files, session } = await lookUpThread(use, { text: args.thread, scope: "any", repair: true, all: true, session: true });
    const { sessionText } = await import("../../views/sessions.ts");
    await this.emit(flags, { ...session, lookup: found, files }, () => (session === undefined ? "" : sessionText(session, found, files)));
  }
}
