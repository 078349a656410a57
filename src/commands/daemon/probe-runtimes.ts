import { BaseCommand } from "../../cli/base-command.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";

export default class DaemonProbeRuntimes extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show which agents a daemon started here would find, where, and how; needs no daemon";
  static override readonly examples = ["multica daemon probe-runtimes", "multica daemon probe-runtimes --json"];

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonProbeRuntimes);
    const { probeRuntimes } = await import("../../lib/daemon/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { probeText } = await import("../../views/daemon-probe.ts");
    const probe = await probeRuntimes({ env: this.env, home: this.home, cwd: this.cwd, clock: systemClock, signal: holdInterrupts() });
    await this.emit(flags, probe, () => probeText(probe));
  }
}
