import { BaseCommand } from "../../cli/base-command.ts";
import { threadFlags } from "../../cli/exec/flags.ts";
import { openExec } from "../../cli/exec/port.ts";
import { threadRef } from "../../cli/exec/target.ts";
import { duration } from "../../cli/exec/values.ts";
import { listFlag, optionalArgument, outputFlag, textFlag } from "../../cli/flags.ts";

export default class ExecDetach extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Park the commands of a thread: they run on and survive its end";
  static override readonly examples = ["multica exec detach", "multica exec detach op:default --process 4711 --ttl 2h", "multica exec detach --task 0190f0c2-0000-7000-8000-000000000001"];
  static override readonly args = { thread: optionalArgument("thread, or a task's id") };
  static override readonly flags = {
    ...threadFlags,
    process: listFlag("only this one", "<id>"),
    ttl: textFlag("how long they may stay parked (24h, 0 = no limit)", { helpValue: "<duration>" }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecDetach);
    const ttl = duration("--ttl", flags.ttl);
    const place = await openExec(this.context(flags), flags.profile);
    const summary = await place.port.detach({
      ...threadRef({ ...flags, thread: args.thread }),
      ...(flags.process === undefined ? {} : { process_ids: flags.process }),
      ...(ttl === undefined ? {} : { ttl_ms: ttl }),
    });
    const { detachLine } = await import("../../views/exec.ts");
    await this.emit(flags, summary, () => `${detachLine(summary)}\n`);
  }
}
