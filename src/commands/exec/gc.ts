import { BaseCommand } from "../../cli/base-command.ts";
import { openExec } from "../../cli/exec/port.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";

export default class ExecGc extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Look for commands and logs that nobody keeps a record of, and put them right";
  static override readonly examples = ["multica exec gc --dry-run", "multica exec gc"];
  static override readonly flags = { "dry-run": switchFlag("say what would be done; change nothing"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(ExecGc);
    const place = await openExec(this.context(flags), flags.profile);
    const report = await place.port.gc({ dry_run: flags["dry-run"] });
    const { gcText } = await import("../../views/exec.ts");
    await this.emit(flags, report, () => gcText(report, flags["dry-run"]));
  }
}
