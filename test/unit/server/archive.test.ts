// Archives that others wrote (git's ZIP and tar.gz), our own, and damaged ones.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeZip } from "../../../src/cli/zip.ts";
import { isMulticaError } from "../../../src/lib/core/index.ts";
import type { ArchiveEntry } from "../../../src/lib/server/services/skills/archive/entry.ts";
import { isGzip, isTar, isZip } from "../../../src/lib/server/services/skills/archive/kind.ts";
import { listTar, unpackGzip } from "../../../src/lib/server/services/skills/archive/tar.ts";
import { listZip } from "../../../src/lib/server/services/skills/archive/zip.ts";
import { tempDir } from "../../support/temp.ts";

const MAX = 1 << 20;
const LONG = `${"directory-".repeat(12)}/${"name-".repeat(20)}ö.md`;

/** A tree with a long name, a link, a binary and something worth compressing, as `git archive` packs it. */
function gitArchive(format: "zip" | "tar.gz"): Buffer {
  const dir = tempDir();
  const git = (...args: string[]): Buffer =>
    execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: dir, env: { PATH: process.env["PATH"] ?? "", HOME: dir, GIT_CONFIG_NOSYSTEM: "1" } });
  mkdirSync(join(dir, LONG, ".."), { recursive: true });
  writeFileSync(join(dir, "SKILL.md"), "line\n".repeat(5000));
  writeFileSync(join(dir, LONG), "long");
  writeFileSync(join(dir, "a.bin"), Buffer.from([0, 1, 2]));
  symlinkSync("/etc/passwd", join(dir, "link"));
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "x");
  return git("archive", `--format=${format}`, "--prefix=top/", "HEAD");
}

const content = async (entry: ArchiveEntry): Promise<[string, string]> => [entry.path, entry.kind === "link" ? "→" : ((await entry.read(MAX))?.toString() ?? "?")];
const contents = async (entries: readonly ArchiveEntry[]): Promise<Record<string, string>> => Object.fromEntries(await Promise.all(entries.map(content)));

/** A tar header as it should be. */
function tarHeader(type: string, size: number, path = "x"): Buffer {
  const header = Buffer.alloc(512);
  for (const [text, at] of [[path, 0], ["0000644\0", 100], [`${size.toString(8).padStart(11, "0")}\0`, 124], ["        ", 148], [type, 156], ["ustar\u000000", 257]] as const) header.write(text, at, "latin1");
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}
const TAR_END = Buffer.alloc(1024);
const times = (count: number, ...parts: Buffer[]): Buffer => Buffer.concat(Array.from({ length: count }, () => Buffer.concat(parts)));

const EXPECTED = { "top/SKILL.md": "line\n".repeat(5000), [`top/${LONG}`]: "long", "top/a.bin": "\0\u0001\u0002", "top/link": "→" };

describe("archives", () => {
  it("of git are read, long names and links too", async () => {
    const zip = gitArchive("zip");
    expect([isZip(zip), isGzip(zip)]).toEqual([true, false]);
    expect(await contents(await listZip(zip, MAX))).toEqual(EXPECTED);
    const packed = gitArchive("tar.gz");
    expect([isZip(packed), isGzip(packed), isTar(packed)]).toEqual([false, true, false]);
    const tar = await unpackGzip(packed, MAX);
    expect([isTar(tar), await contents(listTar(tar))]).toEqual([true, EXPECTED]);
  });

  it("of ours come back as they were", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.record({ path: fc.string({ minLength: 1, unit: "grapheme" }).filter((path) => !path.endsWith("/")), content: fc.string({ unit: "grapheme" }) }), { selector: (file) => file.path }), async (files) => {
        const entries = await listZip(writeZip(files), MAX);
        expect(await Promise.all(entries.map(async (entry) => ({ path: entry.path, content: (await entry.read(MAX))?.toString() })))).toEqual(files);
      }),
      { numRuns: 50 },
    );
  });

  it("are not unpacked beyond what is asked for, whatever they claim", async () => {
    const honest = writeZip([{ path: "a", content: "x".repeat(100) }]);
    expect(await (await listZip(honest, MAX))[0]?.read(99)).toBeUndefined();
    // A bomb: ten megabytes that the directory calls ten bytes.
    const packed = deflateRawSync(Buffer.alloc(10 << 20));
    const stored = writeZip([{ path: "a", content: packed.toString("latin1").replace(/[^\0]/g, "y") }]);
    const bytes = Buffer.from(stored);
    packed.copy(bytes, 31);
    const central = bytes.length - 22 - 47;
    for (const [at, value] of [[central + 10, 8], [central + 24, 10], [central + 20, packed.length]] as const) {
      if (at === central + 10) bytes.writeUInt16LE(value, at);
      else bytes.writeUInt32LE(value, at);
    }
    expect(await (await listZip(bytes, MAX))[0]?.read(1024)).toBeUndefined();
    // The same bytes under many names, each within its bound.
    const [once] = await listZip(writeZip([{ path: "a", content: "x".repeat(100) }]), 250);
    expect([(await once?.read(100))?.length, (await once?.read(100))?.length]).toEqual([100, 100]);
    await expect(once?.read(100)).rejects.toMatchObject({ code: "bad_archive", message: expect.stringContaining("unpacks to more than 250 bytes") });
    await expect(unpackGzip(gitArchive("tar.gz"), 1000)).rejects.toThrow("unpacks to more than 1000 bytes");
  });

  it("that are damaged anywhere are refused or read, never anything else", async () => {
    const zip = writeZip([{ path: "top/SKILL.md", content: "hello" }, { path: "top/b", content: "world" }]);
    const tar = gunzipSync(gitArchive("tar.gz")).subarray(0, 4096);
    const tried = async (list: () => ArchiveEntry[] | Promise<ArchiveEntry[]>): Promise<void> => {
      try {
        for (const entry of await list()) await entry.read(MAX);
      } catch (error) {
        if (!isMulticaError(error, "bad_archive")) throw error;
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), async (place, value, cut) => {
        for (const [original, list] of [[zip, (bytes: Buffer) => listZip(bytes, MAX)], [tar, listTar]] as const) {
          const bytes = Buffer.from(cut ? original.subarray(0, place % original.length) : original);
          if (bytes.length > 0) bytes[place % bytes.length] = value;
          await tried(() => list(bytes));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("that are refused say why", async () => {
    const zip = writeZip([{ path: "a", content: "hello" }]);
    const central = zip.length - 22 - 47;
    const changed = (...bytes: (readonly [at: number, value: number])[]): Buffer => {
      const copy = Buffer.from(zip);
      for (const [at, value] of bytes) copy[at] = value;
      return copy;
    };
    /** The archive with the larger numbers of ZIP64 at its end. */
    const zip64 = (endAt: number, count: number): Buffer => {
      const end = Buffer.alloc(56);
      end.write("PK\u0006\u0006");
      end.writeBigUInt64LE(BigInt(count), 32);
      end.writeBigUInt64LE(BigInt(central), 48);
      const locator = Buffer.alloc(20);
      locator.write("PK\u0006\u0007");
      locator.writeBigUInt64LE(BigInt(endAt), 8);
      return Buffer.concat([zip.subarray(0, -22), end, locator, zip.subarray(-22)]);
    };
    expect(await contents(await listZip(zip64(zip.length - 22, 1), MAX))).toEqual({ a: "hello" });
    const longName = Buffer.alloc(64 * 1024, "n");
    for (const [bytes, reason] of [
      [changed([31, 0]), "a is damaged"],
      [changed([central + 8, 1]), "a needs a password"],
      [changed([central + 8, 0x41]), "strong encryption"],
      [changed([central + 10, 99]), "a is packed in a way that is not known here"],
      [changed([central, 0]), "its directory is damaged"],
      [changed([zip.length - 12, 2]), "its directory is damaged"],
      [zip64(2 ** 40, 1), "it is not a whole ZIP archive"],
      [zip64(zip.length - 22, 2 ** 40), "it holds more than 20000 entries"],
      [changed([zip.length - 11, 0xff]), "it holds more than 20000 entries"],
    ] as const) {
      await expect(listZip(bytes, MAX).then((entries) => contents(entries)), reason).rejects.toMatchObject({ code: "bad_archive", message: expect.stringContaining(reason) });
    }
    const file = Buffer.concat([tarHeader("0", 5), Buffer.from("hello".padEnd(512, "\0"))]);
    expect(await contents(listTar(Buffer.concat([tarHeader("5", 0, "dir/"), file, tarHeader("S", 0), TAR_END])))).toEqual({ x: "hello" });
    for (const [bytes, reason] of [
      [Buffer.concat([file, file.subarray(0, 600)]), "it is damaged (TAR_BAD_ARCHIVE: Truncated input"],
      [file, "it is cut off"],
      [Buffer.concat([file, Buffer.alloc(512, "a")]), "checksum failure"],
      [Buffer.concat([tarHeader("0", 8 ** 11 - 1), TAR_END]), "Truncated input"],
      [Buffer.concat([times(20_001, tarHeader("0", 0)), TAR_END]), "it holds more than 20000 entries"],
      [Buffer.concat([times(20_001, tarHeader("S", 0)), TAR_END]), "it holds more than 20000 entries"],
      [Buffer.concat([tarHeader("x", 65 * 1024), Buffer.alloc(65 * 1024), file, TAR_END]), "a header is too large"],
      [Buffer.concat([times(65, tarHeader("L", longName.length), longName), TAR_END]), "its headers are too large"],
      [Buffer.concat([gzipSync(file), file, TAR_END]), "it is packed twice"],
    ] as const) {
      expect(() => listTar(bytes), reason).toThrow(expect.objectContaining({ code: "bad_archive", message: expect.stringContaining(reason) }) as Error);
    }
    await expect(unpackGzip(gzipSync(file).subarray(0, -4), MAX)).rejects.toMatchObject({ code: "bad_archive" });
  });
});
