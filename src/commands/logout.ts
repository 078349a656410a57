import { BaseCommand } from "../cli/base-command.ts";

export default class Logout extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Forget the stored token; the server keeps it valid";
  static override readonly aliases = ["auth:logout"];
  static override readonly examples = ["multica logout"];

  async run(): Promise<void> {
    const { flags } = await this.parse(Logout);
    const { openSettingsStore } = await import("../lib/config/index.ts");
    const store = await openSettingsStore(this.context(flags).stateDir);
    const had = store.get("token") !== undefined;
    if (had) await store.unset("token");
    await this.emit(flags, { logged_out: had }, () => "");
    this.note(had ? "The token is removed." : "No token was stored.");
  }
}
