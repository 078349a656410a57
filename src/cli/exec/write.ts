import type { ExecPortClient } from "../../lib/api/exec-port.ts";
import { randomHex } from "../../lib/core/index.ts";
import type { ExecOutput, ExecRecord } from "../../lib/wire/index.ts";
import { usage } from "../resolve.ts";
import { duration, keyBytes } from "./values.ts";

export interface WriteValues {
  readonly stdin?: boolean;
  readonly enter?: boolean;
  readonly key?: readonly string[] | undefined;
  readonly eof?: boolean;
  readonly yield?: string | undefined;
  readonly "no-read"?: boolean;
}

/** Text, standard input and keys in this order; `--enter` is a line end for a pipe, the enter key for a terminal. */
export async function inputBytes(input: { readonly text: string | undefined; readonly values: WriteValues; readonly tty: boolean }): Promise<Buffer> {
  const { text, values, tty } = input;
  if (text !== undefined && values.stdin === true) throw usage("TEXT and --stdin exclude each other");
  const keys = (values.key ?? []).map(keyBytes).join("");
  const parts = [Buffer.from(text ?? ""), ...(values.stdin === true ? await stdinBytes() : []), Buffer.from(values.enter === true ? (tty ? "\r" : "\n") : ""), Buffer.from(keys)];
  const data = Buffer.concat(parts);
  if (data.length === 0 && values.eof !== true) throw usage("nothing to type: give TEXT, --stdin, --enter, --key or --eof");
  return data;
}

async function stdinBytes(): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return chunks;
}

const PIECE_BYTES = 32 * 1024;

/** Types large input in pieces, each once whatever happens to a connection; the last one brings the output along. */
export async function sendInput(
  port: ExecPortClient,
  process: ExecRecord,
  input: { readonly data: Buffer; readonly values: WriteValues },
): Promise<Partial<ExecOutput> & { status: string }> {
  const { data, values } = input;
  const wait = duration("--yield", values.yield);
  for (let at = 0; ; at += PIECE_BYTES) {
    const last = at + PIECE_BYTES >= data.length;
    const answer = await port.write(process, {
      data: data.subarray(at, at + PIECE_BYTES).toString("base64"),
      write_id: randomHex(8),
      ...(last && values.eof === true ? { close_stdin: true } : {}),
      ...(last && values["no-read"] !== true ? {} : { read: false }),
      ...(wait === undefined ? {} : { yield_ms: wait }),
    });
    if (last || (answer.status !== "accepted" && answer.status !== "duplicate")) return answer;
  }
}
