import { constants, openSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Socket } from "node:net";

/**
 * The bytes of a file that a flag names. A pipe (`<(pass show x)`, or one made with mkfifo) is waited for without holding the
 * process: a read that blocks in a thread would keep it from ending on SIGTERM or Ctrl-C. Rejects with the system's error.
 */
export async function readGivenFile(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFIFO()) return readFile(path);
  const pipe = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  const chunks: Buffer[] = [];
  for await (const chunk of pipe) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
