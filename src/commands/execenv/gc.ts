import { BaseCommand } from "../../cli/base-command.ts";
import { openPlace, refuseInTask, rootFlags } from "../../cli/execenv.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { openGcCheck } from "../../cli/gc-check.ts";
import { envText, resolveGcSettings } from "../../lib/config/index.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class ExecenvGc extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Delete what finished work left behind: one cycle of the collector, safe beside a running daemon";
  static override readonly description =
    "Asks the server which issues are finished; --offline decides by what is on disk alone. Environments in use, with work that " +
    "exists nowhere else, or with a state nobody knows are kept. The limits are MULTICA_GC_TTL, _ORPHAN_TTL, _ARTIFACT_TTL.";
  static override readonly examples = ["multica execenv gc --dry-run", "multica execenv gc --offline --temp"];
  static override readonly flags = {
    ...rootFlags,
    "dry-run": switchFlag("say what would be deleted; write nothing"),
    offline: switchFlag("do not ask the server"),
    workspace: textFlag("only of this workspace", { helpValue: "<id>" }),
    temp: switchFlag("also remove temporary directories of tasks that are no more"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    refuseInTask(this.env, this.words);
    const { flags } = await this.parse(ExecenvGc);
    const context = this.context(flags);
    const place = openPlace({ context, env: this.env, home: this.home, root: flags.root });
    const limits = resolveGcSettings(this.env);
    const ask = flags.offline === true ? null : openGcCheck(context);
    const { collectGarbage, sweepTempDirs } = await import("../../lib/execenv/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { usedByProcesses } = await import("../../cli/exec/users.ts");
    const dryRun = flags["dry-run"] === true;
    const envs = await collectGarbage({
      workspacesRoot: place.workspacesRoot,
      limits,
      ask,
      workspaceId: flags.workspace,
      dryRun,
      isActive: usedByProcesses(context.stateDir),
      clock: systemClock,
      env: this.env,
    });
    const base = envText(this.env, "MULTICA_AGENT_TEMP_BASE");
    const temp = flags.temp === true ? await sweepTempDirs({ base, dryRun, nowMs: systemClock.now() }) : [];
    const { gcText } = await import("../../views/execenv.ts");
    const document = { root: place.workspacesRoot, dry_run: dryRun, offline: ask === null, envs, temp };
    await this.emit(flags, document, () => gcText(document));
    if ([...envs, ...temp].some((one) => one.status === "failed")) this.endWith(EXIT.failed);
  }
}
