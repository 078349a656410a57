import type { ExecPortClient } from "../../lib/api/exec-port.ts";
import type { ExecFrame, ExecStartRequest, ExecStartedAnswer } from "../../lib/wire/index.ts";
import { usage } from "../resolve.ts";
import { commandEnvironment } from "./environment.ts";
import { followProcess } from "./stream.ts";
import { threadRef } from "./target.ts";
import { byteSize, duration } from "./values.ts";

/** The flags of `exec start` as the command parsed them. */
export interface StartValues {
  readonly tty?: boolean;
  readonly cwd?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly "clean-env"?: boolean;
  readonly thread?: string | undefined;
  readonly task?: string | undefined;
  readonly issue?: string | undefined;
  readonly label?: string | undefined;
  readonly keep?: boolean;
  readonly detach?: boolean;
  readonly ttl?: string | undefined;
  readonly stdin?: string | undefined;
  readonly cols?: number | undefined;
  readonly rows?: number | undefined;
  readonly yield?: string | undefined;
  readonly "no-wait"?: boolean;
  readonly wait?: boolean;
  readonly "max-output-tokens"?: number | undefined;
  readonly ring?: string | undefined;
  readonly "pass-token"?: boolean;
  readonly "leave-children"?: boolean;
}

export interface StartInput {
  readonly argv: readonly string[];
  readonly values: StartValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute working directory of the command. */
  readonly cwd: string;
  readonly inTask: boolean;
}

/** The request that the flags of `exec start` mean. Usage errors before anything is asked. */
export function startRequest({ argv, values, env, cwd, inTask }: StartInput): ExecStartRequest {
  if (argv.length === 0) throw usage("no command is given", "multica exec start [flags] -- CMD [ARG…]");
  if (values["no-wait"] === true && values.wait === true) throw usage("--wait and --no-wait exclude each other");
  if (values.tty === true && values.stdin !== undefined) throw usage("--tty has its own input: leave --stdin out");
  const keep = values.keep === true || values.detach === true;
  const ttl = duration("--ttl", values.ttl);
  const ring = byteSize("--ring", values.ring);
  // Not to wait means: an answer at once, or the least a task may ask for.
  const wait = values["no-wait"] === true || values.wait === true ? 0 : duration("--yield", values.yield);
  return {
    argv: [...argv],
    cwd,
    env: commandEnvironment({
      env,
      clean: values["clean-env"] === true,
      set: values.env ?? [],
      person: values.tty === true && !inTask,
      outlives: keep,
      passToken: values["pass-token"] === true,
    }),
    ...threadRef(values),
    ...(values.tty === true ? { tty: true } : {}),
    ...(values.cols === undefined ? {} : { cols: values.cols }),
    ...(values.rows === undefined ? {} : { rows: values.rows }),
    ...(values.stdin === "pipe" ? { stdin: "pipe" as const } : {}),
    ...(values.label === undefined ? {} : { label: values.label }),
    ...(keep ? { keep } : {}),
    ...(values.detach === true ? { detach: true } : {}),
    ...(ttl === undefined ? {} : { ttl_ms: ttl }),
    ...(wait === undefined ? {} : { yield_ms: wait }),
    ...(values["max-output-tokens"] === undefined ? {} : { max_output_tokens: values["max-output-tokens"] }),
    ...(ring === undefined ? {} : { limits: { ring_bytes: ring } }),
    ...(values["leave-children"] === true ? { leave_children: true } : {}),
  };
}

const KEPT_BYTES = 1024 * 1024;

/** Follows a started command to its end, handing its output on; answers what `exec start --wait` ends with. */
export async function waitForEnd(
  port: ExecPortClient,
  started: ExecStartedAnswer,
  options: { readonly signal: AbortSignal; readonly show: (data: Buffer, stream: "out" | "err") => void },
): Promise<ExecStartedAnswer> {
  const name = { thread_id: started.thread_id, process_id: started.started_process_id };
  const kept: Buffer[] = [];
  let bytes = 0;
  let last: ExecFrame | undefined;
  let exit: ExecFrame["exit"];
  for await (const frame of followProcess({ port, name, afterSeq: 0, live: true, signal: options.signal })) {
    last = frame;
    if (frame.kind === "exited") exit = frame.exit;
    if (frame.data === undefined || frame.kind === "stdin") continue;
    options.show(frame.data, frame.kind === "stderr" ? "err" : "out");
    if (bytes < KEPT_BYTES) kept.push(frame.data);
    bytes += frame.data.length;
  }
  if (options.signal.aborted) throw options.signal.reason;
  const record = await port.record(name);
  return {
    ...started,
    process_id: null,
    output: Buffer.concat(kept).subarray(0, KEPT_BYTES).toString("utf8"),
    output_bytes: bytes,
    truncated: bytes > KEPT_BYTES,
    from_seq: 0,
    next_seq: last?.seq ?? started.next_seq,
    running: false,
    closed: true,
    exit_code: exit?.code ?? record.exit_code,
    signal: exit?.signal ?? record.signal,
  };
}
