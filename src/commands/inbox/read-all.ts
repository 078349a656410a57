import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { createPersonApi } from "../../lib/api/user-api-chat.ts";

export default class InboxReadAll extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Mark your whole inbox as read";
  static override readonly examples = ["multica inbox read-all"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(InboxReadAll);
    const session = this.session(flags);
    session.workspaceId();
    const changed = await createPersonApi(session.http).markMany("mark-all-read");
    await this.emit(flags, changed, () => `${changed.count}\n`);
  }
}
