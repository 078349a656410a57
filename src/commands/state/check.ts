import { resolve } from "node:path";
import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { homePlaces } from "../../cli/session-index.ts";
import { backUpFile, checkFiles, compactFile, salvageFile } from "../../cli/state-file.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class StateCheck extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Look for damage in the state file and the index of sessions, copy the state file, or give its unused space back";
  static override readonly examples = ["multica state check", "multica state check --full --json", "multica state check --repair", "multica state check --backup state.bak"];
  static override readonly flags = {
    full: switchFlag("read every page and row, and compare a sample of the index with the files; with --compact, write the whole file anew"),
    all: switchFlag("like --full, and compare every row of the index"),
    repair: switchFlag("make a damaged index anew, and a state file of what can be read of a damaged one (for that the daemon must be stopped)"),
    backup: textFlag("write a copy to this file, which must not exist", { helpValue: "<file>" }),
    compact: switchFlag("give unused space back to the disk (the daemon must be stopped)"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(StateCheck);
    const context = this.context(flags);
    const { stateDir, profile } = context;
    const { full = false, all = false, repair = false, compact = false } = flags;
    const repairIndex = repair ? await homePlaces({ context, env: this.env, home: this.home, cwd: this.cwd }) : undefined;
    let result = await checkFiles({ stateDir, full: full || all, all, repairIndex });
    const actions = [...result.actions];
    if (flags.backup !== undefined) {
      const target = resolve(this.cwd, flags.backup);
      if (await backUpFile(stateDir, target)) actions.push(`copied to ${target}`);
    }
    if (repair && !result.state.ok) {
      const salvage = await salvageFile({ stateDir, profile });
      if (salvage !== null) actions.push(`rebuilt; the old file is kept as ${salvage.kept}`);
      result = await checkFiles({ stateDir, full: full || all, all });
    }
    if (compact) {
      await compactFile({ stateDir, profile, full });
      actions.push("compacted");
    }
    const { checkText } = await import("../../views/state.ts");
    const shown = { ...result, actions };
    await this.emit(flags, shown, () => checkText(shown));
    if (!shown.state.ok || shown.index?.ok === false) this.endWith(EXIT.findings);
  }
}
