import { BaseCommand } from "../../cli/base-command.ts";
import { outputFlag } from "../../cli/flags.ts";

export default class AuthStatus extends BaseCommand {
  static override readonly access = "task-config";
  static override readonly summary = "Show who is signed in where; exit 3 when nobody is";
  static override readonly examples = ["multica auth status"];
  static override readonly flags = { output: outputFlag("table") };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuthStatus);
    const { authStatus } = await import("../../cli/auth-status.ts");
    const { status, failure } = await authStatus(this.context(flags));
    await this.emit(flags, status, async () => (await import("../../views/account.ts")).authText(status));
    if (failure !== undefined) this.endWith(failure);
  }
}
