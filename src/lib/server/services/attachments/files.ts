import { createReadStream } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { errorText, isUuid, systemCode } from "../../../core/index.ts";
import { ensureDir, removeFile, writeFileAtomic } from "../../../platform/index.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";

/** A file may lie for this long without a row: its upload may still be under way. */
const STRAY_MS = 3_600_000;

type Store = Pick<ServerContext, "filesDir">;

/** Puts the bytes of an upload on disk, before its row: a row without a file would be a lie, a file without one is swept. */
export async function storeFile(store: Store, id: string, bytes: Uint8Array): Promise<void> {
  await ensureDir(store.filesDir, 0o700);
  await writeFileAtomic(join(store.filesDir, id), bytes, { mode: 0o600 });
}

/** Removes a file that has no row (any more); a missing one is as good. */
export async function dropFile(ctx: ServerContext, id: string): Promise<void> {
  try {
    await removeFile(join(ctx.filesDir, id));
  } catch (error) {
    ctx.logger.warn("uploaded file not removed", { file: id, error: errorText(error) });
  }
}

/** The bytes as a stream; undefined when the file is gone. */
export async function openFile(store: Store, id: string): Promise<{ size: number; body: ReadableStream } | undefined> {
  const path = join(store.filesDir, id);
  try {
    const { size } = await stat(path);
    return { size, body: Readable.toWeb(createReadStream(path)) as ReadableStream };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export async function readBytes(store: Store, id: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(store.filesDir, id));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes files whose row is gone: with an issue its attachments go in the database only. Never throws. */
export async function sweepFiles(ctx: ServerContext): Promise<void> {
  try {
    for (const name of await readdir(ctx.filesDir)) {
      if (!isUuid(name) || one(ctx.db, "SELECT 1 FROM attachment WHERE id = :name", { name }) !== undefined) continue;
      const { mtimeMs } = await stat(join(ctx.filesDir, name));
      if (ctx.clock.now() - mtimeMs > STRAY_MS) await dropFile(ctx, name);
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") ctx.logger.warn("uploaded files not swept", { error: errorText(error) });
  }
}
