import { BaseCommand } from "../../cli/base-command.ts";
import { listFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { homePlaces } from "../../cli/session-index.ts";
import { runBackfill } from "../../cli/state-backfill.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class StateBackfill extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Bring the index of Codex sessions up to date with the files";
  static override readonly examples = ["multica state backfill", "multica state backfill --home ~/old/.codex --force", "multica state backfill --no-wait --json"];
  static override readonly flags = {
    home: listFlag("only this home; one that is not known yet is added", "<dir>"),
    force: switchFlag("forget what is known about the files and read all of them"),
    wait: textFlag("how long to wait for another process that is at it; 30s unless given", { helpValue: "<duration>" }),
    "no-wait": switchFlag("do not wait"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateBackfill);
    const context = this.context(flags);
    const places = await homePlaces({ context, env: this.env, home: this.home, cwd: this.cwd, homes: flags.home });
    const { backfillText, progressLine } = await import("../../views/sessions.ts");
    const { isTerminal } = await import("../../lib/platform/index.ts");
    const { processStreams } = await import("../../views/output.ts");
    const shows = isTerminal("stderr") && !this.wantsJson(flags);
    const result = await runBackfill({
      stateDir: context.stateDir,
      places,
      homes: flags.home === undefined ? undefined : places.extra.slice(0, flags.home.length),
      force: flags.force === true,
      wait: flags["no-wait"] === true ? "0s" : flags.wait,
      note: (line) => this.note(line),
      onProgress: shows ? (stats) => processStreams.err(progressLine(stats)) : undefined,
    });
    if (shows) processStreams.err("\n");
    await this.emit(flags, result, () => (result.timed_out ? "Another process is filling the index; not waited for any longer.\n" : backfillText(result)));
    if (result.timed_out || result.failed > 0) this.endWith(EXIT.failed);
  }
}
