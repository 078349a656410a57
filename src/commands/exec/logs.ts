import { BaseCommand } from "../../cli/base-command.ts";
import { processLog } from "../../cli/exec/logs.ts";
import { argument, countFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";

export default class ExecLogs extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Show the log of a command, also of one that has ended, and without a daemon";
  static override readonly description = "Leaves the read cursor of exec read where it is. With --follow it ends with the command; Ctrl-C ends only the view.";
  static override readonly examples = ["multica exec logs 4711", "multica exec logs 4711 -f --timestamps", "multica exec logs 4711 --tail 50 --stream stderr"];
  static override readonly args = { process: argument("process id, or <thread>/<id>") };
  static override readonly flags = {
    follow: switchFlag("go on until the command ends", { char: "f" }),
    tail: countFlag("only so many lines at the end"),
    after: countFlag("from this position on", { default: 0 }),
    timestamps: switchFlag("put the time before each line"),
    stream: textFlag("only this stream", { options: ["stdout", "stderr"] }),
    raw: switchFlag("the bytes as they are"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecLogs);
    const signal = holdInterrupts();
    const frames = await processLog({
      context: this.context(flags),
      profile: flags.profile,
      process: args.process,
      afterSeq: flags.after ?? 0,
      follow: flags.follow === true,
      signal,
    });
    const { printProcessLog } = await import("../../views/exec.ts");
    await printProcessLog(frames, {
      raw: flags.raw === true,
      timestamps: flags.timestamps === true,
      stream: flags.stream === "stdout" || flags.stream === "stderr" ? flags.stream : undefined,
      json: this.wantsJson(flags),
      tail: flags.follow === true ? undefined : flags.tail,
    });
    if (signal.aborted) throw signal.reason;
  }
}
