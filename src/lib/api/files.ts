import { EXIT, MulticaError, isMulticaError, parseJson } from "../core/index.ts";
import type { Attachment } from "../wire/index.ts";
import { RequestError, networkError } from "./errors.ts";
import { DEFAULT_TIMEOUT_MS, type HttpOptions, requestHeaders, requestUrl } from "./http.ts";

/** A file in memory, ready to be sent. */
export interface LocalFile {
  /** Bare name, without a path. */
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The most bytes a download may have (cli.md 4.5). */
const MAX_DOWNLOAD_BYTES = 100 * 1024 * 1024;
/** Files take longer than answers. */
const MIN_LIMIT_MS = 60_000;

/** Sends and fetches files (server-api.md 13.7). Not a hot path: `fetch` knows forms and streams. */
export function createFileApi(options: HttpOptions) {
  const limit = (): AbortSignal => AbortSignal.timeout(Math.max(MIN_LIMIT_MS, (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) + 5000));
  const sendForm = (path: string, file: LocalFile, fields: Readonly<Record<string, string>>): Promise<string> => {
    const form = new FormData();
    form.set("file", new File([file.bytes], file.name, { type: file.type }));
    for (const [key, value] of Object.entries(fields)) form.set(key, value);
    const url = requestUrl(options.serverUrl, path);
    return guarded("POST", path, url, async () => {
      const response = await fetch(url, { method: "POST", headers: requestHeaders(options), body: form, signal: limit() });
      const body = await response.text();
      if (!response.ok) throw new RequestError("POST", path, response.status, body);
      return body;
    });
  };
  return {
    /** Uploads one file; `target` says what it belongs to. Rejects with `RequestError`, a network error, or `bad_answer`. */
    upload: async (file: LocalFile, target: Readonly<Record<string, string>>): Promise<Attachment> => {
      const attachment = parseJson(await sendForm("/api/upload-file", file, target)) as unknown as Attachment | undefined;
      if (attachment?.id) return attachment;
      throw new MulticaError("bad_answer", `the server took ${file.name} but gave it no id`);
    },

    /** Imports a skill from an archive (server-api.md 13.11); the answer as it came. */
    importSkill: async (file: LocalFile, onConflict: string): Promise<unknown> => parseJson(await sendForm("/api/skills/import", file, { on_conflict: onConflict })),

    /** The bytes behind a `download_url`: an absolute one is signed and gets none of our headers, a relative one is the server's own. */
    download: async (address: string): Promise<Buffer> => {
      const absolute = /^https?:\/\//i.test(address);
      const url = absolute ? address : requestUrl(options.serverUrl, address.startsWith("/") ? address : `/${address}`);
      const path = new URL(url).pathname;
      return guarded("GET", path, url, async () => {
        const response = await fetch(url, { headers: absolute ? {} : requestHeaders(options), signal: limit() });
        if (!response.ok) throw new RequestError("GET", path, response.status, await response.text());
        return readBounded(response);
      });
    },
  };
}

async function readBounded(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_DOWNLOAD_BYTES) throw new MulticaError("too_large", "the file has more than 100 MiB", { exit: EXIT.failed });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function guarded<T>(method: string, path: string, url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isMulticaError(error)) throw error;
    throw networkError(method, path, new URL(url).origin, error);
  }
}
