import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { salvageFile } from "../../cli/state-file.ts";

export default class StateSalvage extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Make a new state file of what can be read of the old one, and keep the old one";
  static override readonly description =
    "The daemon does this by itself when it finds damage at its start. The daemon must be stopped; reports that wait for the server are saved first.";
  static override readonly examples = ["multica state salvage", "multica state salvage --json"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateSalvage);
    const { stateDir, profile } = this.context(flags);
    const { salvageText } = await import("../../views/state.ts");
    const salvage = await salvageFile({ stateDir, profile });
    await this.emit(flags, salvage ?? { kept: null, tables: {} }, () => salvageText(salvage));
  }
}
