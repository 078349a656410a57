import { ApiCommand } from "../../cli/api-command.ts";
import { argument, outputFlag, switchFlag } from "../../cli/flags.ts";
import { createRuntimeApi } from "../../lib/api/user-api-runtime.ts";

export default class RuntimeRename extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Give a runtime a name; an empty one takes it away";
  static override readonly examples = ["multica runtime rename 0190d3c2-8d2a-7000-8000-000000000000 Desk --machine"];
  static override readonly args = { runtime: argument("runtime UUID"), name: argument('name; "" for none') };
  static override readonly flags = { machine: switchFlag("the same for every runtime of its machine"), output: outputFlag("table") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeRename);
    const name = args.name.trim();
    const body = { custom_name: name, ...(flags.machine ? { apply_to_machine: true } : {}) };
    const runtime = await createRuntimeApi(this.session(flags).http).update(args.runtime, body);
    await this.emit(flags, runtime, () => "");
    this.note(name === "" ? `Runtime ${args.runtime} has no name of its own any more.` : `Runtime ${args.runtime} is now called ${name}.`);
  }
}
