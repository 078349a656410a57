import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag } from "../../cli/flags.ts";

export default class ConfigShow extends BaseCommand {
  static override readonly access = "task-config";
  static override readonly summary = "Show the settings of this profile";
  static override readonly hiddenAliases = ["config"];
  static override readonly examples = ["multica config show", "multica --profile work config show --output json"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShow);
    const { readRawSettings, settingsPath } = await import("../../lib/config/index.ts");
    const { stateDir, profile } = this.context(flags);
    const raw = readRawSettings(stateDir);
    const { settingsDocument, settingsText } = await import("../../cli/settings-view.ts");
    const facts = { path: settingsPath(stateDir), profile, raw };
    await this.emit(flags, settingsDocument(facts), () => settingsText(facts));
  }
}
