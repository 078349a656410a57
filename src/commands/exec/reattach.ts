import { BaseCommand } from "../../cli/base-command.ts";
import { threadFlags } from "../../cli/exec/flags.ts";
import { openExec } from "../../cli/exec/port.ts";
import { threadRef } from "../../cli/exec/target.ts";
import { listFlag, optionalArgument, outputFlag } from "../../cli/flags.ts";

export default class ExecReattach extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Attach parked commands to their thread again";
  static override readonly examples = ["multica exec reattach", "multica exec reattach op:default --process 4711"];
  static override readonly args = { thread: optionalArgument("thread, or a task's id") };
  static override readonly flags = { ...threadFlags, process: listFlag("only this one", "<id>"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecReattach);
    const place = await openExec(this.context(flags), flags.profile);
    const summary = await place.port.reattach({
      ...threadRef({ ...flags, thread: args.thread }),
      ...(flags.process === undefined ? {} : { process_ids: flags.process }),
    });
    const { reattachLine } = await import("../../views/exec.ts");
    await this.emit(flags, summary, () => `${reattachLine(summary.reattached_count)}\n`);
    if (summary.skipped_count > 0) this.note(`Warning: left parked, because their id is in use: ${summary.skipped_process_ids.join(", ")}`);
  }
}
