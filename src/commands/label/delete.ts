import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag } from "../../cli/flags.ts";
import { resolveLabel } from "../../cli/resolve-objects.ts";
import { createLabelApi } from "../../lib/api/user-api-label.ts";

export default class LabelDelete extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Delete a label; issues lose it";
  static override readonly examples = ["multica label delete 3f2a"];
  static override readonly args = { label: argument("label UUID or its first digits") };
  static override readonly flags = { output: outputFlag("json") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabelDelete);
    const session = this.session(flags);
    const id = await resolveLabel(session, args.label);
    await createLabelApi(session.http).remove(id);
    await this.emit(flags, { id, deleted: true }, () => `Deleted label ${id}.\n`);
  }
}
