import { closeSync, createReadStream, createWriteStream, existsSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

export interface LogFileLimits {
  /** Size in bytes at which the file becomes an archive. */
  readonly maxBytes: number;
  /** Archives that are kept, the newest ones. */
  readonly keep: number;
  /** Age in milliseconds at which an archive goes, however few there are. */
  readonly maxAgeMs: number;
}

/**
 * A log that turns over: `x.log` becomes `x-<UTC time>.log` and, in the background, `x-<UTC time>.log.gz` (daemon.md 2.5).
 * Written synchronously, so that the last line before a crash is on disk; a write that fails later never ends the process.
 * One process writes it.
 */
export class LogFile {
  readonly #path: string;
  readonly #limits: LogFileLimits;
  #fd: number;
  #size: number;
  #open = true;
  #last = 0;
  #packing: Promise<void> = Promise.resolve();

  /** Throws what the system says when the file cannot be opened. */
  constructor(path: string, limits: LogFileLimits) {
    this.#path = path;
    this.#limits = limits;
    this.#fd = openSync(path, "a", 0o600);
    this.#size = statSync(path).size;
    // What a crash left unpacked, and what became too old meanwhile.
    this.#tidy();
  }

  write(line: string): void {
    if (!this.#open) return;
    try {
      if (this.#size > this.#limits.maxBytes) this.#rotate();
      this.#size += writeSync(this.#fd, line);
    } catch {
      // A full disk must not stop the tasks that are running; the line is lost.
    }
  }

  /** Writes a line or throws: how a log that can never be written is found at start. */
  probe(line: string): void {
    this.#size += writeSync(this.#fd, line);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  #rotate(): void {
    renameSync(this.#path, this.#archiveName());
    // Opened before the old one is closed: after a failure in between, lines would go to whatever file gets its number.
    const next = openSync(this.#path, "a", 0o600);
    closeSync(this.#fd);
    this.#fd = next;
    this.#size = 0;
    this.#tidy();
  }

  /** Names sort by time: two that turn over in one millisecond get two. */
  #archiveName(): string {
    const taken = new Set(this.#archives().map((name) => name.replace(/\.gz$/, "")));
    for (let at = Math.max(Date.now(), this.#last + 1); ; at += 1) {
      const name = `${this.#stem()}-${new Date(at).toISOString().replaceAll(":", "-").replace("Z", "")}${extname(this.#path)}`;
      if (taken.has(name)) continue;
      this.#last = at;
      return this.#beside(name);
    }
  }

  #stem(): string {
    return basename(this.#path, extname(this.#path));
  }

  /** Names of the archives, packed or not, oldest first. */
  #archives(): string[] {
    const end = extname(this.#path);
    const middle = /^\d{4}-\d\d-\d\dT[\d.-]+$/;
    return readdirSync(dirname(this.#path))
      .filter((name) => {
        const rest = name.replace(/\.gz$/, "");
        return rest.startsWith(`${this.#stem()}-`) && rest.endsWith(end) && middle.test(rest.slice(this.#stem().length + 1, rest.length - end.length));
      })
      .sort();
  }

  /** Removes what is too old or too much, and packs the rest; one archive at a time, never in the way of a line. */
  #tidy(): void {
    for (const name of this.#prune()) if (!name.endsWith(".gz")) this.#packing = this.#packing.then(() => this.#pack(this.#beside(name)));
  }

  /** Names of the archives that stay. A log that cannot be tidied is still a log. */
  #prune(): string[] {
    try {
      const { keep, maxAgeMs } = this.#limits;
      const archives = this.#archives();
      const stay = archives.slice(-keep).filter((name) => Date.now() - statSync(this.#beside(name)).mtimeMs <= maxAgeMs);
      for (const name of archives) if (!stay.includes(name)) rmSync(this.#beside(name), { force: true });
      return stay;
    } catch {
      return [];
    }
  }

  #beside(name: string): string {
    return join(dirname(this.#path), name);
  }

  async #pack(path: string): Promise<void> {
    // Packed already, or too much by now.
    if (!existsSync(path)) return;
    try {
      await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.part`, { mode: 0o600 }));
      renameSync(`${path}.part`, `${path}.gz`);
      rmSync(path, { force: true });
    } catch {
      // It stays as it is, and the next start tries again.
      rmSync(`${path}.part`, { force: true });
    }
    this.#prune();
  }
}
