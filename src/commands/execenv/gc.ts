import { BaseCommand } from "../../cli/base-command.ts";
import { openPlace, refuseInTask, rootFlags } from "../../cli/execenv.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class ExecenvGc extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Delete what finished work left behind: one cycle of the collector, safe beside a running daemon";
  static override readonly description =
    "Asks the server which issues are finished; --offline decides by what is on disk alone. Environments in use, with work that " +
    "exists nowhere else, or with a state nobody knows are kept. The limits are MULTICA_GC_TTL, _ORPHAN_TTL, _ARTIFACT_TTL, " +
    "_CODEX_SESSION_TTL, _MAX_BYTES and _MIN_FREE.";
  static override readonly examples = ["multica execenv gc --dry-run", "multica execenv gc --offline --temp --stores"];
  static override readonly flags = {
    ...rootFlags,
    "dry-run": switchFlag("say what would be deleted; write nothing (repositories are left out)"),
    offline: switchFlag("do not ask the server"),
    workspace: textFlag("only of this workspace", { helpValue: "<id>" }),
    repos: switchFlag("also tidy the caches of repositories; none is removed"),
    stores: switchFlag("also remove stored sessions of conversations that nobody took up for long"),
    temp: switchFlag("also remove temporary directories of tasks that are no more"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    refuseInTask(this.env, this.words);
    const { flags } = await this.parse(ExecenvGc);
    const context = this.context(flags);
    const place = openPlace({ context, env: this.env, home: this.home, root: flags.root });
    const { collectOnce } = await import("../../cli/gc.ts");
    const document = await collectOnce(context, place, {
      dryRun: flags["dry-run"] === true,
      offline: flags.offline === true,
      workspaceId: flags.workspace,
      temp: flags.temp === true,
      stores: flags.stores === true,
      repos: flags.repos === true,
    });
    const { gcText } = await import("../../views/execenv.ts");
    await this.emit(flags, document, () => gcText(document));
    if ([...document.envs, ...document.temp, ...document.stores].some((one) => one.status === "failed")) this.endWith(EXIT.failed);
  }
}
