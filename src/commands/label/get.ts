import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveLabel } from "../../cli/resolve-objects.ts";
import { createLabelApi } from "../../lib/api/user-api-label.ts";

export default class LabelGet extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Show a label";
  static override readonly examples = ["multica label get 3f2a"];
  static override readonly args = { label: argument("label UUID or its first digits") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabelGet);
    const session = this.session(flags);
    const label = await createLabelApi(session.http).get(await resolveLabel(session, args.label));
    await this.emit(flags, label, async () => (await import("../../views/issue-extras.ts")).labelTable([label], true, true));
  }
}
