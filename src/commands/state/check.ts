import { resolve } from "node:path";
import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { checkStateFile, compactFile, salvageFile } from "../../cli/state-file.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class StateCheck extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Look for damage in the state file, copy it, or give its unused space back";
  static override readonly examples = ["multica state check", "multica state check --full --json", "multica state check --repair", "multica state check --backup state.bak"];
  static override readonly flags = {
    full: switchFlag("read every page and row; with --compact, write the whole file anew"),
    repair: switchFlag("make a new file of what can be read when there is damage (the daemon must be stopped)"),
    backup: textFlag("write a copy to this file, which must not exist", { helpValue: "<file>" }),
    compact: switchFlag("give unused space back to the disk (the daemon must be stopped)"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateCheck);
    const { stateDir, profile } = this.context(flags);
    const full = flags.full === true;
    const backup = flags.backup === undefined ? undefined : resolve(this.cwd, flags.backup);
    let result = await checkStateFile({ stateDir, full, backup });
    const actions = [...result.actions];
    if (flags.repair === true && !result.state.ok) {
      const salvage = await salvageFile({ stateDir, profile });
      if (salvage !== null) actions.push(`rebuilt; the old file is kept as ${salvage.kept}`);
      result = await checkStateFile({ stateDir, full });
    }
    if (flags.compact === true) {
      await compactFile({ stateDir, profile, full });
      actions.push("compacted");
    }
    const { checkText } = await import("../../views/state.ts");
    const shown = { ...result, actions };
    await this.emit(flags, shown, () => checkText(shown));
    if (!shown.state.ok) this.endWith(EXIT.findings);
  }
}
