import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { stateStatus } from "../../cli/state-file.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class StateStatus extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show what the state file holds: tasks, reports that wait for the server, the index";
  static override readonly examples = ["multica state status", "multica state status --dead", "multica state status --lane <task> --json"];
  static override readonly flags = {
    dead: switchFlag("list reports the server refused for good, without their text"),
    lane: textFlag("list the reports of one task in the order they are sent", { helpValue: "<task>" }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateStatus);
    const { stateText } = await import("../../views/state.ts");
    const status = await stateStatus({ stateDir: this.context(flags).stateDir, dead: flags.dead === true, lane: flags.lane });
    await this.emit(flags, status, () => stateText(status));
    if (status.degraded.length > 0) this.endWith(EXIT.failed);
  }
}
