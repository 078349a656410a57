import { ApiCommand } from "../../cli/api-command.ts";
import { outputFlag } from "../../cli/flags.ts";
import { createPersonApi } from "../../lib/api/user-api-chat.ts";

export default class InboxCount extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Tell how much of your inbox is unread";
  static override readonly examples = ["multica inbox count"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(InboxCount);
    const session = this.session(flags);
    session.workspaceId();
    const unread = await createPersonApi(session.http).unread();
    await this.emit(flags, unread, () => `${unread.count}\n`);
  }
}
