import { BaseCommand } from "../../cli/base-command.ts";
import { openPlace, rootFlags, targetOf, visible } from "../../cli/execenv.ts";
import { outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { resolveGcSettings } from "../../lib/config/index.ts";

export default class ExecenvList extends BaseCommand {
  static override readonly access = "any";
  static override readonly summary = "List the environments that agents work in on this machine";
  static override readonly examples = ["multica execenv list", "multica execenv list --check --size --sort size", "multica execenv list --state orphan --json"];
  static override readonly flags = {
    ...rootFlags,
    workspace: textFlag("only of this workspace", { helpValue: "<id>" }),
    kind: textFlag("only of this kind", { options: ["issue", "chat", "autopilot_run", "quick_create", "unknown"] }),
    provider: textFlag("only of this provider", { helpValue: "<name>" }),
    issue: textFlag("only of this issue", { helpValue: "<uuid>" }),
    state: textFlag("only in this state", { options: ["active", "idle", "local", "orphan", "foreign"] }),
    size: switchFlag("count bytes"),
    check: switchFlag("count findings of each"),
    sort: textFlag("order", { options: ["age", "size"] }),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ExecenvList);
    const place = openPlace({ context: this.context(flags), env: this.env, home: this.home, root: flags.root });
    const { listEnvironments } = await import("../../lib/execenv/index.ts");
    const { systemClock } = await import("../../lib/platform/index.ts");
    const list = await listEnvironments({
      workspacesRoot: place.workspacesRoot,
      nowMs: systemClock.now(),
      workspaceId: flags.workspace,
      accept: (env) =>
        visible(place, [env]).length > 0 &&
        (flags.kind === undefined || env.kind === flags.kind) &&
        (flags.provider === undefined || env.provider === flags.provider) &&
        (flags.issue === undefined || env.issue_id === flags.issue) &&
        (flags.state === undefined || env.state === flags.state),
      artifactPatterns: resolveGcSettings(this.env).artifactPatterns,
      withSize: flags.size === true || flags.sort === "size",
      check: flags.check === true ? (env) => targetOf(place, env) : null,
      sort: flags.sort === "size" || flags.sort === "age" ? flags.sort : "id",
    });
    const { listText } = await import("../../views/execenv.ts");
    await this.emit(flags, list, () => listText(list, systemClock.now()));
  }
}
