import { BaseCommand } from "../../cli/base-command.ts";
import { openExec } from "../../cli/exec/port.ts";
import { findProcess } from "../../cli/exec/target.ts";
import { inputBytes, sendInput } from "../../cli/exec/write.ts";
import { argument, listFlag, optionalArgument, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";

export default class ExecWrite extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Type into a command, then show what it printed";
  static override readonly examples = ["multica exec write 4711 'echo hello' --enter", "multica exec write 4711 --key ctrl-c", "multica exec write 4711 --stdin --eof < data.txt"];
  static override readonly args = { process: argument("process id, or <thread>/<id>"), text: optionalArgument("what to type") };
  static override readonly flags = {
    stdin: switchFlag("type what comes on standard input"),
    enter: switchFlag("end it with the enter key"),
    key: listFlag("press a key: ctrl-c, esc, up, tab …", "<key>"),
    eof: switchFlag("close its standard input"),
    yield: textFlag("how long to wait for output (250ms)", { helpValue: "<duration>" }),
    "no-read": switchFlag("do not wait for output"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecWrite);
    const place = await openExec(this.context(flags), flags.profile);
    const process = await findProcess(place, args.process);
    const data = await inputBytes({ text: args.text, values: flags, tty: process.tty });
    const answer = await sendInput(place.port, process, { data, values: flags });
    const { gapNote, statusLine } = await import("../../views/exec.ts");
    await this.emit(flags, answer, () => answer.output ?? "");
    const { running, exit_code = null, signal = null, gap_bytes = 0 } = answer;
    if (gapNote({ gap_bytes }) !== "") this.note(gapNote({ gap_bytes }));
    if (running !== undefined) this.note(statusLine({ running, exit_code, signal }, process.process_id));
  }
}
