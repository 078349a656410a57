import { resolve } from "node:path";
import { BaseCommand } from "../../cli/base-command.ts";
import { shellCode } from "../../cli/exec/exit-code.ts";
import { threadFlags } from "../../cli/exec/flags.ts";
import { openExec } from "../../cli/exec/port.ts";
import { type StartInput, startRequest, waitForEnd } from "../../cli/exec/start.ts";
import { countFlag, listFlag, outputFlag, switchFlag, textFlag } from "../../cli/flags.ts";
import { holdInterrupts } from "../../cli/interrupt.ts";

export default class ExecStart extends BaseCommand {
  static override readonly access = "any";
  static override readonly strict = false;
  static override readonly summary = "Start a command under the daemon that may outlive its caller";
  static override readonly description =
    "Everything after -- is the command; no shell is involved. Its output so far is printed, then it runs on. With --keep it survives the end of the task.";
  static override readonly examples = [
    "multica exec start --keep --label web -- npm run dev",
    "multica exec start --wait -- bash -lc 'make && make test'",
    "multica exec start --tty --no-wait -- bash",
  ];
  static override readonly flags = {
    ...threadFlags,
    thread: textFlag("thread it belongs to", { helpValue: "<thread>" }),
    tty: switchFlag("run it on a terminal of its own"),
    cwd: textFlag("working directory (.)", { helpValue: "<dir>" }),
    env: listFlag("set a variable", "<NAME=value>"),
    "clean-env": switchFlag("pass only PATH, HOME and the like"),
    label: textFlag("a name to find it by", { helpValue: "<text>" }),
    keep: switchFlag("let it survive the end of its thread"),
    detach: switchFlag("park it at once; implies --keep"),
    ttl: textFlag("how long it may stay parked (24h, 0 = no limit)", { helpValue: "<duration>" }),
    stdin: textFlag("its standard input", { options: ["none", "pipe"] }),
    cols: countFlag("columns of the terminal (80)", { min: 1, max: 1000 }),
    rows: countFlag("rows of the terminal (24)", { min: 1, max: 1000 }),
    yield: textFlag("how long to wait for output (10s)", { helpValue: "<duration>" }),
    "no-wait": switchFlag("answer at once"),
    wait: switchFlag("wait for its end and end with its code"),
    "max-output-tokens": countFlag("cut the output to this (10000)", { min: 1 }),
    ring: textFlag("log kept on disk (8M)", { helpValue: "<size>" }),
    "pass-token": switchFlag("also a kept command gets MULTICA_TOKEN"),
    "leave-children": switchFlag("children in the background outlive it"),
    output: outputFlag("table"),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(ExecStart);
    const place = await openExec(this.context(flags), flags.profile);
    const input: StartInput = { argv: argv.map(String), values: flags, env: this.env, cwd: resolve(this.cwd, flags.cwd ?? "."), inTask: place.inTask };
    let answer = await place.port.start(startRequest(input));
    const { gapNote, statusLine } = await import("../../views/exec.ts");
    if (answer.warning !== undefined) this.note(`Warning: ${answer.warning}`);
    if (flags.wait) {
      const { show } = await import("../../views/exec.ts");
      answer = await waitForEnd(place.port, answer, { signal: holdInterrupts(), show: this.wantsJson(flags) ? () => undefined : show });
    }
    await this.emit(flags, answer, () => (flags.wait ? "" : answer.output));
    if (gapNote(answer) !== "") this.note(gapNote(answer));
    this.note(statusLine(answer, answer.started_process_id, flags.wait ? undefined : answer.duration_ms));
    if (flags.wait && shellCode(answer) !== 0) this.endWith(shellCode(answer));
  }
}
