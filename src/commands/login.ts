import { BaseCommand } from "../cli/base-command.ts";
import { switchFlag, textFlag } from "../cli/flags.ts";
import { chooseToken } from "../cli/token-input.ts";

export default class Login extends BaseCommand {
  static override readonly access = "human";
  static override readonly summary = "Sign in with a token and choose a workspace";
  static override readonly description =
    "Without a flag the token is asked for on the terminal. Elsewhere give it with --token-stdin or MULTICA_TOKEN; " +
    "`multica setup embedded` signs in to a server of your own without any token.";
  static override readonly hiddenAliases = ["auth:login"];
  static override readonly examples = ["multica login", "multica login --token-stdin < token.txt", "multica --profile work login --server-url https://multica.example"];
  static override readonly flags = {
    token: textFlag("the token; without a value it is asked for", { helpValue: "<token>" }),
    "token-stdin": switchFlag("read the token from standard input"),
    workspace: textFlag("workspace to work in: id, slug or prefix", { helpValue: "<workspace>" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Login);
    const token = await chooseToken({ flag: flags.token, stdin: flags["token-stdin"], env: this.env });
    const { tokenLogin } = await import("../cli/login.ts");
    const report = await tokenLogin({
      context: this.context(flags),
      env: this.env,
      serverFlag: flags["server-url"],
      token,
      workspace: flags.workspace,
    });
    const { loginNotes } = await import("../views/account.ts");
    for (const line of loginNotes(report, flags.profile ?? "")) this.note(line);
    await this.emit(flags, report, () => "");
  }
}
