// Archives that others wrote (git's ZIP and tar.gz), our own, and damaged ones.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArchiveEntry } from "../../../src/lib/core/archive.ts";
import { isMulticaError } from "../../../src/lib/core/index.ts";
import { isGzip, isTar, listTar, unpackGzip } from "../../../src/lib/core/tar.ts";
import { isZip, listZip, writeZip } from "../../../src/lib/core/zip.ts";
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

const contents = (entries: readonly ArchiveEntry[]): Record<string, string> =>
  Object.fromEntries(entries.map((entry) => [entry.path, entry.kind === "link" ? "→" : (entry.read(MAX)?.toString() ?? "?")]));

const EXPECTED = { "top/SKILL.md": "line\n".repeat(5000), [`top/${LONG}`]: "long", "top/a.bin": "\0\u0001\u0002", "top/link": "→" };

describe("archives", () => {
  it("of git are read, long names and links too", () => {
    const zip = gitArchive("zip");
    expect([isZip(zip), isGzip(zip)]).toEqual([true, false]);
    expect(contents(listZip(zip))).toEqual(EXPECTED);
    const packed = gitArchive("tar.gz");
    expect([isZip(packed), isGzip(packed), isTar(packed)]).toEqual([false, true, false]);
    const tar = unpackGzip(packed, MAX);
    expect([isTar(tar), contents(listTar(tar))]).toEqual([true, EXPECTED]);
  });

  it("of ours come back as they were", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.record({ path: fc.string({ minLength: 1, unit: "grapheme" }).filter((path) => !path.endsWith("/")), content: fc.string({ unit: "grapheme" }) }), { selector: (file) => file.path }), (files) => {
        expect(listZip(writeZip(files)).map((entry) => ({ path: entry.path, content: entry.read(MAX)?.toString() }))).toEqual(files);
      }),
      { numRuns: 50 },
    );
  });

  it("are not unpacked beyond what is asked for, whatever they claim", () => {
    const honest = writeZip([{ path: "a", content: "x".repeat(100) }]);
    expect(listZip(honest)[0]?.read(99)).toBeUndefined();
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
    expect(listZip(bytes)[0]?.read(1024)).toBeUndefined();
    expect(() => unpackGzip(gitArchive("tar.gz"), 1000)).toThrow("unpacks to more than 1000 bytes");
  });

  it("that are damaged anywhere are refused or read, never anything else", () => {
    const zip = writeZip([{ path: "top/SKILL.md", content: "hello" }, { path: "top/b", content: "world" }]);
    const tar = gunzipSync(gitArchive("tar.gz")).subarray(0, 4096);
    const tried = (list: () => ArchiveEntry[]): void => {
      try {
        for (const entry of list()) entry.read(MAX);
      } catch (error) {
        if (!isMulticaError(error, "bad_archive")) throw error;
      }
    };
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (place, value, cut) => {
        for (const [original, list] of [[zip, listZip], [tar, listTar]] as const) {
          const bytes = Buffer.from(cut ? original.subarray(0, place % original.length) : original);
          if (bytes.length > 0) bytes[place % bytes.length] = value;
          tried(() => list(bytes));
        }
      }),
      { numRuns: 300 },
    );
  });
});
