import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag, textFlag } from "../../cli/flags.ts";
import { resolveLabel } from "../../cli/resolve-objects.ts";
import { usage } from "../../cli/resolve.ts";
import { createLabelApi } from "../../lib/api/user-api-label.ts";

export default class LabelUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Change the name or the color of a label";
  static override readonly examples = ["multica label update 3f2a --color #0e8a16"];
  static override readonly args = { label: argument("label UUID or its first digits") };
  static override readonly flags = {
    name: textFlag("name", { helpValue: "<name>" }),
    color: textFlag("color as six hexadecimal digits", { helpValue: "<#rrggbb>" }),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabelUpdate);
    const body = {
      ...(flags.name === undefined ? {} : { name: notBlank("--name", flags.name) }),
      ...(flags.color === undefined ? {} : { color: notBlank("--color", flags.color) }),
    };
    if (Object.keys(body).length === 0) throw usage("nothing to change");
    const session = this.session(flags);
    const label = await createLabelApi(session.http).update(await resolveLabel(session, args.label), body);
    await this.emit(flags, label, async () => (await import("../../views/issue-extras.ts")).labelTable([label], true, true));
  }
}
