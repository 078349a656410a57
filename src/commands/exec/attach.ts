import { BaseCommand } from "../../cli/base-command.ts";
import { attachTerminal, requireTerminal } from "../../cli/exec/attach.ts";
import { openExec } from "../../cli/exec/port.ts";
import { findProcess } from "../../cli/exec/target.ts";
import { argument, switchFlag } from "../../cli/flags.ts";

export default class ExecAttach extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Put your terminal on a command's terminal; Ctrl-] leaves it running";
  static override readonly examples = ["multica exec attach 4711", "multica exec attach 4711 --read-only"];
  static override readonly args = { process: argument("process id, or <thread>/<id>") };
  static override readonly flags = { "read-only": switchFlag("watch without typing") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecAttach);
    requireTerminal();
    const place = await openExec(this.context(flags), flags.profile);
    const process = await findProcess(place, args.process);
    const end = await attachTerminal(place.port, process, { readOnly: flags["read-only"] });
    const { statusLine } = await import("../../views/exec.ts");
    const record = await place.port.record(process);
    if (end === "left") this.note(`\nLeft process ${process.process_id}; it runs on.`);
    else this.note(`\n${statusLine({ running: false, exit_code: record.exit_code, signal: record.signal }, process.process_id)}`);
  }
}
