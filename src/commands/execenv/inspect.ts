import { BaseCommand } from "../../cli/base-command.ts";
import { openPlace, rootFlags, selectFor, targetOf } from "../../cli/execenv.ts";
import { optionalArgument, outputFlag } from "../../cli/flags.ts";
import { EXIT } from "../../lib/core/index.ts";

export default class ExecenvInspect extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "Show one environment and everything that is wrong with it; changes nothing";
  static override readonly description =
    "ENV is a path (an environment, or anything inside one), workspace/name, a name or its first six characters, task:<uuid>, " +
    "issue:<uuid>, chat:<uuid>; without it, the environment of the current directory. Ends with 8 when something is wrong.";
  static override readonly examples = ["multica execenv inspect", "multica execenv inspect 3f2a9c10b7de", "multica execenv inspect issue:0f6d3c1e-0000-4000-8000-0000000000b1 --json"];
  static override readonly aliases = ["execenv:show"];
  static override readonly args = { env: optionalArgument("which environment") };
  static override readonly flags = { ...rootFlags, output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExecenvInspect);
    const place = openPlace({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const [env] = await selectFor(place, [args.env ?? place.ownRoot ?? "."], { cwd: this.cwd, one: true });
    if (env === undefined) return;
    const { inspectOne } = await import("../../lib/execenv/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const { inspectText } = await import("../../views/execenv.ts");
    const found = await inspectOne(env, targetOf(place, env), { clock: systemClock, env: this.env });
    await this.emit(flags, found, () => inspectText(found));
    if (found.report.status === "error") this.endWith(EXIT.failed);
    if (found.report.findings.some((finding) => finding.severity !== "info")) this.endWith(EXIT.findings);
  }
}
