import { BaseCommand } from "../../cli/base-command.ts";
import { argument } from "../../cli/flags.ts";

export default class ConfigSet extends BaseCommand {
  static override readonly access = "task-config";
  static override readonly summary = 'Set one setting; "" clears it';
  static override readonly examples = ["multica config set poll_interval 10s", 'multica config set agent_timeout ""'];
  static override readonly args = { key: argument("key as config show lists it"), value: argument("value; empty clears") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigSet);
    const { openSettingsStore, parseSetting } = await import("../../lib/config/index.ts");
    const value = parseSetting(args.key, args.value, this.cwd);
    const { stateDir, taskConfigRoot } = this.context(flags);
    const store = await openSettingsStore(stateDir, { privateBelow: taskConfigRoot });
    await store.set({ [args.key]: value });
    await this.emit(flags, { key: args.key, value: value ?? null }, () => "");
    this.note(value === undefined ? `${args.key} is cleared.` : `${args.key} = ${String(value)}`);
  }
}
