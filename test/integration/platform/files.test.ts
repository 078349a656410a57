import { spawn } from "node:child_process";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  copyFile, createLink, ensureDir, isInside, makeTempDir, pathExists, readTextIfExists, realPathIfExists, removeFile, removeTree, writeFileAtomic, writeFileIfAbsent,
} from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

describe("writeFileAtomic", () => {
  it("replaces the content with the asked mode, whatever the umask, and leaves nothing beside it", async () => {
    const dir = tempDir();
    const path = join(dir, "file");
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    await writeFileAtomic(path, "one");
    expect(statSync(path).mode & 0o777).toBe(0o644);
    await writeFileAtomic(path, "two", { mode: 0o600 });
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777, readdirSync(dir)]).toEqual(["two", 0o600, ["file"]]);
  });

  it("keeps the old content, and no temporary file, when it cannot be done", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "target"));
    writeFileSync(join(dir, "target", "keep"), "x");
    await expect(writeFileAtomic(join(dir, "target"), "new")).rejects.toThrow();
    await expect(writeFileAtomic(join(dir, "no", "such"), "new")).rejects.toThrow();
    expect(readdirSync(dir)).toEqual(["target"]);
  });

  it("replaces a link instead of writing through it", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "other"), "keep");
    symlinkSync(join(dir, "other"), join(dir, "file"));
    await writeFileAtomic(join(dir, "file"), "new");
    expect([readFileSync(join(dir, "other"), "utf8"), lstatSync(join(dir, "file")).isSymbolicLink()]).toEqual(["keep", false]);
  });

  it("never shows a reader half of it, also when the writer is killed", async () => {
    const dir = tempDir();
    const path = join(dir, "file");
    await writeFileAtomic(path, "a".repeat(200_000));
    const module = join(import.meta.dirname, "../../../src/lib/platform/fs.ts");
    const code = `import { writeFileAtomic } from ${JSON.stringify(module)}; console.log("go"); for (let i = 0; ; i += 1) await writeFileAtomic(${JSON.stringify(path)}, "ab"[i % 2].repeat(200_000));`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let started = false;
    child.stdout.on("data", () => (started = true));
    await waitFor("the writer", () => started);
    const seen = new Set<string>();
    await waitFor("both contents", () => {
      const text = readFileSync(path, "utf8");
      expect(text).toHaveLength(200_000);
      seen.add(`${text[0]}${text.at(-1)}`);
      return seen.size === 2;
    });
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    expect([...seen].sort()).toEqual(["aa", "bb"]);
    expect(readFileSync(path, "utf8")).toHaveLength(200_000);
  });
});

describe("files and links", () => {
  it("are made only when absent when asked so", async () => {
    const path = join(tempDir(), "file");
    expect([await writeFileIfAbsent(path, "one", { mode: 0o600 }), await writeFileIfAbsent(path, "two")]).toEqual([true, false]);
    expect(readFileSync(path, "utf8")).toBe("one");
  });

  it("are linked atomically over a link or a file, never over a directory", async () => {
    const dir = tempDir();
    await createLink("/a", join(dir, "link"));
    await createLink("/b", join(dir, "link"));
    expect(readlinkSync(join(dir, "link"))).toBe("/b");
    mkdirSync(join(dir, "sub"));
    await expect(createLink("/a", join(dir, "sub"))).rejects.toThrow();
    expect(readdirSync(dir).sort()).toEqual(["link", "sub"]);
  });

  it("are copied with a mode of their own", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "a"), "x", { mode: 0o644 });
    await copyFile(join(dir, "a"), join(dir, "b"), { mode: 0o600 });
    expect([readFileSync(join(dir, "b"), "utf8"), statSync(join(dir, "b")).mode & 0o777]).toEqual(["x", 0o600]);
    await expect(copyFile(join(dir, "none"), join(dir, "c"))).rejects.toThrow();
    expect(readdirSync(dir).sort()).toEqual(["a", "b"]);
  });

  it("are removed without following links", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "outside"));
    writeFileSync(join(dir, "outside", "keep"), "x");
    mkdirSync(join(dir, "tree", "deep"), { recursive: true });
    symlinkSync(join(dir, "outside"), join(dir, "tree", "deep", "link"));
    linkSync(join(dir, "outside", "keep"), join(dir, "tree", "hard"));
    await removeTree(join(dir, "tree"));
    await removeTree(join(dir, "tree"));
    expect([existsSync(join(dir, "tree")), readFileSync(join(dir, "outside", "keep"), "utf8")]).toEqual([false, "x"]);
    expect([await removeFile(join(dir, "outside", "keep")), await removeFile(join(dir, "outside", "keep"))]).toEqual([true, false]);
  });

  it("that are not there are told from those that cannot be read", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "file"), "x");
    symlinkSync(join(dir, "none"), join(dir, "dangling"));
    expect([await readTextIfExists(join(dir, "none")), await readTextIfExists(join(dir, "file", "below"))]).toEqual([undefined, undefined]);
    await expect(readTextIfExists(dir)).rejects.toThrow("EISDIR");
    expect([await pathExists(join(dir, "dangling")), await pathExists(join(dir, "none"))]).toEqual([true, false]);
    expect([realPathIfExists(join(dir, "dangling")), realPathIfExists(dir)]).toEqual([undefined, dir]);
  });

  it("lie in private directories when they are temporary", async () => {
    const path = await makeTempDir("x-", tempDir());
    expect([statSync(path).mode & 0o777, realPathIfExists(path)]).toEqual([0o700, path]);
    chmodSync(path, 0o755);
    await ensureDir(path, 0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });
});

describe("isInside", () => {
  it.each([
    ["/a", "/a", true], ["/a", "/a/b/c", true], ["/a", "/ab", false], ["/a", "/", false], ["/a", "/a/../b", false], ["/a", "/a/..b", true], ["/", "/x", true],
  ])("of %s and %s is %s", (root, path, inside) => {
    expect(isInside(root, path)).toBe(inside);
  });
});
