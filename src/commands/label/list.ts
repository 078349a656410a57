import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";
import { createLabelApi } from "../../lib/api/user-api-label.ts";

export default class LabelList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List the workspace's labels";
  static override readonly examples = ["multica label list --output json"];
  static override readonly flags = { "full-id": switchFlag("show whole ids"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(LabelList);
    const session = this.session(flags);
    const labels = await createLabelApi(session.http).list(session.workspaceId());
    await this.emit(flags, labels, async () => (await import("../../views/issue-extras.ts")).labelTable(labels, flags["full-id"], true));
  }
}
