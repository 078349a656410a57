import { BaseCommand } from "../../cli/base-command.ts";
import { requireKnownProfile } from "../../cli/daemon-target.ts";
import { countFlag, switchFlag } from "../../cli/flags.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";

export default class DaemonLogs extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show the daemon's log; --json gives its lines as they are";
  static override readonly examples = ["multica daemon logs -n 100", "multica daemon logs -f"];
  static override readonly flags = {
    follow: switchFlag("go on with new lines until interrupted", { char: "f" }),
    lines: countFlag("how many of the last lines", { default: 50, char: "n" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonLogs);
    const context = this.context(flags);
    await requireKnownProfile(context, { env: this.env, home: this.home });
    const { daemonPaths, readLog } = await import("../../lib/daemon/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { printLog } = await import("../../views/logs.ts");
    const path = daemonPaths(context.stateDir).log;
    const signal = holdInterrupts();
    const lines = readLog({ path, lines: flags.lines ?? 50, follow: flags.follow, clock: systemClock, signal });
    await printLog(lines, { heading: `${path} (profile ${context.profile || "default"})`, raw: this.wantsJson(flags) });
    if (signal.aborted) throw signal.reason;
  }
}
