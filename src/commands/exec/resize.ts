import { BaseCommand } from "../../cli/base-command.ts";
import { openExec } from "../../cli/exec/port.ts";
import { findProcess } from "../../cli/exec/target.ts";
import { terminalSize } from "../../cli/exec/values.ts";
import { argument } from "../../cli/flags.ts";

export default class ExecResize extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Change the size of a command's terminal";
  static override readonly examples = ["multica exec resize 4711 132x50"];
  static override readonly args = { process: argument("process id, or <thread>/<id>"), size: argument("columns x rows, such as 132x50") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecResize);
    const size = terminalSize(args.size);
    const place = await openExec(this.context(flags), flags.profile);
    const process = await findProcess(place, args.process);
    const answer = await place.port.resize(process, size);
    await this.emit(flags, answer, () => "");
    this.note(`The terminal of process ${process.process_id} has ${size.cols} columns and ${size.rows} rows.`);
  }
}
