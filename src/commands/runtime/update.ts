import { ApiCommand } from "../../cli/api-command.ts";
import { notBlank } from "../../cli/families.ts";
import { argument, outputFlag, requiredTextFlag, switchFlag } from "../../cli/flags.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";
import { awaitUpdate } from "../../cli/runtime-update.ts";
import { createRuntimeApi } from "../../lib/api/user-api-runtime.ts";
import { systemClock } from "../../lib/platform/index.ts";

export default class RuntimeUpdate extends ApiCommand {
  static override readonly access = "api";
  static override readonly summary = "Ask the daemon of a runtime to install a version of multica";
  static override readonly examples = ["multica runtime update 0190d3c2-8d2a-7000-8000-000000000000 --target-version 1.4.0 --wait"];
  static override readonly args = { runtime: argument("runtime UUID") };
  static override readonly flags = {
    "target-version": requiredTextFlag("version to install", { helpValue: "<version>" }),
    wait: switchFlag("wait until it has ended; a failure ends with 1"),
    output: outputFlag("json"),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuntimeUpdate);
    const version = notBlank("--target-version", flags["target-version"]);
    const api = createRuntimeApi(this.session(flags).http);
    const made = await api.startUpdate(args.runtime, version);
    const update = flags.wait ? await awaitUpdate(api, made, { runtime: args.runtime, clock: systemClock, signal: holdInterrupts() }) : made;
    await this.emit(flags, update, () => `${update.id}  ${update.status}${update.output ? `\n${update.output}` : ""}\n`);
  }
}
