import { BaseCommand } from "../../cli/base-command.ts";
import { openExec } from "../../cli/exec/port.ts";
import { findProcess } from "../../cli/exec/target.ts";
import { duration } from "../../cli/exec/values.ts";
import { argument, countFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";

export default class ExecRead extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Show what a command printed since the last read";
  static override readonly examples = ["multica exec read 4711", "multica exec read 4711 --yield 30s", "multica exec read 4711 --after 0 --raw"];
  static override readonly args = { process: argument("process id, or <thread>/<id>") };
  static override readonly flags = {
    yield: textFlag("how long to wait for output (5s)", { helpValue: "<duration>" }),
    after: countFlag("from this position; the read cursor stays where it is"),
    "max-output-tokens": countFlag("cut the output to this (10000)", { min: 1 }),
    raw: switchFlag("the bytes as they are"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecRead);
    const place = await openExec(this.context(flags), flags.profile);
    const process = await findProcess(place, args.process);
    const wait = duration("--yield", flags.yield);
    const answer = await place.port.read(process, {
      ...(wait === undefined ? {} : { yield_ms: wait }),
      ...(flags.after === undefined ? {} : { after_seq: flags.after }),
      ...(flags["max-output-tokens"] === undefined ? {} : { max_output_tokens: flags["max-output-tokens"] }),
      ...(flags.raw ? { raw: true, max_bytes: 1024 * 1024 } : {}),
    });
    const { gapNote, showBytes, statusLine } = await import("../../views/exec.ts");
    if (flags.raw && !this.wantsJson(flags)) showBytes(answer.output);
    else await this.emit(flags, answer, () => answer.output);
    if (gapNote(answer) !== "") this.note(gapNote(answer));
    this.note(statusLine(answer, process.process_id));
  }
}
