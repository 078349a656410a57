import { BaseCommand } from "../../cli/base-command.ts";
import { killAll } from "../../cli/exec/kill.ts";
import { openExec } from "../../cli/exec/port.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { Args } from "../../cli/oclif.ts";
import { usage } from "../../cli/resolve.ts";

export default class ExecKill extends BaseCommand {
  static override readonly access = "any";
  static override readonly strict = false;
  static override readonly summary = "End commands, or send them a signal";
  static override readonly description = "A command that has ended already is no error (0); one that nobody knows is (4).";
  static override readonly examples = ["multica exec kill 4711", "multica exec kill 4711 4712 --grace 30s", "multica exec kill op:default/4711 --signal HUP"];
  static override readonly args = { process: Args.string({ description: "process ids, or <thread>/<id>", required: true, ignoreStdin: true }) };
  static override readonly flags = {
    signal: textFlag("send only this signal", { options: ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL", "STOP", "CONT"] }),
    grace: textFlag("time between asking and killing (5s)", { helpValue: "<duration>" }),
    force: switchFlag("kill at once"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(ExecKill);
    if (flags.signal !== undefined && (flags.force || flags.grace !== undefined)) throw usage("--signal excludes --grace and --force");
    const place = await openExec(this.context(flags), flags.profile);
    const results = await killAll(place, argv.map(String), flags);
    const { killLines } = await import("../../views/exec.ts");
    await this.emit(flags, { processes: results }, () => killLines(results, flags.signal));
  }
}
