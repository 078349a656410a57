import { BaseCommand } from "../cli/base-command.ts";
import { outputFlag } from "../cli/flags.ts";

export default class Version extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Show the version of multica and of the server contract it speaks";
  static override readonly examples = ["multica version", "multica version --output json"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { versionInfo, versionText } = await import("../cli/version.ts");
    await this.emit(flags, versionInfo(this.config.root), () => versionText(this.config.root));
  }
}
