import type { Readable } from "node:stream";
import { LineSplitter, MulticaError, isObject, parseJson } from "../../core/index.ts";
import { type Clock, withTimeout } from "../../platform/index.ts";
import { type HostRequest, PROTOCOL } from "../protocol.ts";

/** Command line and environment are limited to 1 MiB; escaped as JSON they can be longer. */
const REQUEST_MAX = 8 << 20;
const REQUEST_MS = 10_000;

/** The request of the process that started us: one line. It is ours and of our version, so only its shape is looked at. */
export async function readRequest(input: Readable, clock: Clock): Promise<HostRequest> {
  const splitter = new LineSplitter(REQUEST_MAX);
  const line = async (): Promise<Buffer | undefined> => {
    for await (const chunk of input) {
      const [first] = splitter.push(chunk as Buffer);
      if (first !== undefined) return first;
    }
    return splitter.end() ?? undefined;
  };
  const bytes = await withTimeout(clock, REQUEST_MS, "the request", line());
  const value = bytes === undefined ? undefined : parseJson(bytes.toString("utf8"));
  if (!isObject(value) || value["v"] !== PROTOCOL || !Array.isArray(value["argv"]) || typeof value["dir"] !== "string") {
    throw new MulticaError("bad_request", "the request is not one of this version");
  }
  return value as unknown as HostRequest;
}
