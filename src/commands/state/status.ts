import { BaseCommand } from "../../cli/base-command.ts";
import { codexDatabases } from "../../cli/codex-databases.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { readStatus } from "../../cli/state-file.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class StateStatus extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Show what the state file holds: tasks, reports that wait for the server, the index";
  static override readonly examples = ["multica state status", "multica state status --dead", "multica state status --codex", "multica state status --lane <task> --json"];
  static override readonly flags = {
    dead: switchFlag("list reports the server refused for good, without their text"),
    lane: textFlag("list the reports of one task in the order they are sent", { helpValue: "<task>" }),
    codex: switchFlag("look into Codex's own thread databases as well"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateStatus);
    const context = this.context(flags);
    const { stateText } = await import("../../views/state.ts");
    const { codexTable } = await import("../../views/sessions.ts");
    const status = await readStatus({ stateDir: context.stateDir, dead: flags.dead === true, lane: flags.lane });
    const codex = flags.codex === true ? await codexDatabases({ context, env: this.env, home: this.home, cwd: this.cwd }) : undefined;
    await this.emit(flags, codex === undefined ? status : { ...status, codex }, () => stateText(status) + (codex === undefined ? "" : codexTable(codex)));
    if (status.degraded.length > 0) this.endWith(EXIT.failed);
  }
}
