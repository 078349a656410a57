import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag, switchFlag } from "../../cli/flags.ts";
import { createPersonApi } from "../../lib/api/user-api-chat.ts";

export default class InboxList extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "List what you have been told; not for agents";
  static override readonly examples = ["multica inbox list --unread"];
  static override readonly flags = { unread: switchFlag("only what you have not read"), archived: switchFlag("the archive instead"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(InboxList);
    const session = this.session(flags);
    session.workspaceId();
    const items = (await createPersonApi(session.http).inbox(flags.archived)).filter((item) => !flags.unread || !item.read);
    await this.emit(flags, items, async () => (await import("../../views/person.ts")).inboxTable(items));
  }
}
