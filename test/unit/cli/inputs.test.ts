import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkCommentQuery, commentQuery, compactComments, cursorLine } from "../../../src/cli/comment-query.ts";
import { checkLinks, type LinkCheck, linkTargets } from "../../../src/cli/link-check.ts";
import { checkIssueRef, choosePerson, type Person, resolvePrefix } from "../../../src/cli/resolve.ts";
import { decode, readText } from "../../../src/cli/text-input.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const UUID = "0190d3c2-8d2a-7000-8000-0000000000ab";

describe("checkIssueRef", () => {
  it("takes keys and whole UUIDs", () => {
    for (const ref of ["MUL-1", "a1-22", UUID, ` ${UUID} `]) expect(checkIssueRef(ref)).toBe(ref.trim());
  });

  it.each([["abcd1234", /part of a UUID/], ["foo", /not an issue key/], ["", /missing/], ["MUL-0", /not an issue key/]])("refuses «%s»", (ref, text) => {
    expect(() => checkIssueRef(ref)).toThrow(text);
  });
});

describe("resolvePrefix", () => {
  const all = [{ id: UUID }, { id: UUID.replace("ab", "ac") }, { id: "f190d3c2-8d2a-7000-8000-0000000000ab" }];
  const none = (): Promise<never> => Promise.reject(new Error("asked"));

  it("asks only when it must", async () => {
    expect(await resolvePrefix("run", UUID, none)).toBe(UUID);
    expect(await resolvePrefix("run", "F190-d", () => Promise.resolve(all))).toBe(all[2]?.id);
    await expect(resolvePrefix("run", "019", none)).rejects.toMatchObject({ exit: 2 });
    await expect(resolvePrefix("run", "0190", () => Promise.resolve(all))).rejects.toMatchObject({ exit: 2 });
    await expect(resolvePrefix("run", "eeee", () => Promise.resolve(all))).rejects.toMatchObject({ exit: 4 });
  });
});

describe("choosePerson", () => {
  const people: Person[] = [
    { kind: "member", id: "11111111-0000-4000-8000-000000000000", name: "Ann Dev", email: "dev@x" },
    { kind: "agent", id: "22222222-0000-4000-8000-000000000000", name: "Dev" },
    { kind: "agent", id: "33333333-0000-4000-8000-000000000000", name: "Devon" },
  ];

  it.each([
    ["dev", "22222222"],
    ["@Dev", "22222222"],
    ["＠Dev", "22222222"],
    ["dev@x", "11111111"],
    ["33333333", "33333333"],
    ["von", "33333333"],
    ["[@Whoever](mention://agent/33333333-0000-4000-8000-000000000000)", "33333333"],
  ])("finds «%s»", (ref, id) => {
    expect(choosePerson(people, ref).id.slice(0, 8)).toBe(id);
  });

  it("names the candidates, or says that there is none", () => {
    expect(() => choosePerson(people, "de")).toThrow(/member Ann Dev.*agent Dev .*agent Devon/);
    expect(() => choosePerson(people, "nobody")).toThrow(/nobody/);
    expect(() => choosePerson(people, "  ")).toThrow(/empty/);
  });
});

describe("readText", () => {
  it("decodes inline escapes and nothing else", () => {
    expect(decode("a\\nb")).toBe("a\nb");
    expect(decode("a\\\\nb")).toBe("a\\nb");
    expect(decode("a\\qb")).toBe("a\\qb");
  });

  it("takes a file as it is, less one newline", async () => {
    const cwd = tempDir();
    for (const [tail, kept] of [["", ""], ["\n", ""], ["\n\n", "\n"]]) {
      writeFileSync(join(cwd, "t"), `a\\n \`$(x)\` ü${tail}`);
      expect(await readText({ name: "content", file: "t", cwd })).toBe(`a\\n \`$(x)\` ü${kept}`);
    }
  });

  it("refuses two sources, an empty and a missing file, naming the flags", async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, "empty"), "");
    await expect(readText({ name: "content", file: "empty", inline: "x", cwd })).rejects.toThrow(/--content, --content-stdin and --content-file/);
    await expect(readText({ name: "content", file: "empty", cwd })).rejects.toMatchObject({ exit: 2 });
    await expect(readText({ name: "content", file: "gone", cwd })).rejects.toThrow(/--content-file: gone is not there/);
  });

  it("waits for pipes without holding the process", async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, "plain"), "plain");
    const pipes = ["a", "b", "c", "d"];
    for (const pipe of pipes) execFileSync("mkfifo", [join(cwd, pipe)]);
    const texts = pipes.map((file) => readText({ name: "content", file, cwd }));
    // As many waiting reads as there are threads for them: one more would wait too, and so would the end of the process.
    let plain: string | undefined;
    void readText({ name: "content", file: "plain", cwd }).then((text) => (plain = text));
    const came = await waitFor("a text beside the pipes", () => plain).catch(() => undefined);
    const writers = pipes.map((pipe) => openSync(join(cwd, pipe), constants.O_RDWR | constants.O_NONBLOCK));
    pipes.forEach((pipe, n) => writeSync(writers[n] ?? 0, `said by ${pipe}\n`));
    for (const fd of writers) closeSync(fd);
    expect(came).toBe("plain");
    expect(await Promise.all(texts)).toEqual(pipes.map((pipe) => `said by ${pipe}`));
  });

  it("stays inside the working directory, also through links", async () => {
    const outside = tempDir();
    const cwd = tempDir();
    writeFileSync(join(outside, "o"), "out");
    symlinkSync(join(outside, "o"), join(cwd, "link"));
    mkdirSync(join(cwd, "in"));
    writeFileSync(join(cwd, "in", "n"), "in");
    for (const file of [join(outside, "o"), "link", "../gone"]) {
      await expect(readText({ name: "content", file, cwd })).rejects.toThrow(/outside the current directory/);
    }
    expect(await readText({ name: "content", file: "in/n", cwd })).toBe("in");
    expect(await readText({ name: "content", file: "link", cwd, allowExternal: true })).toBe("out");
  });
});

describe("checkLinks", () => {
  const agent: LinkCheck["context"] = { agentId: "a", taskId: undefined };
  const person = { agentId: undefined, taskId: undefined };

  it("sees destinations, not code", () => {
    const text = "[a](/x 'title') ![b](<file:///y z>) <FILE:///q> `[c](/no)`\n```\n[d](/no)\n```\n\n[e]: /ref\n";
    expect(linkTargets(text).sort()).toEqual(["/ref", "/x", "FILE:///q", "file:///y z"].sort());
  });

  it("refuses local files from an agent and lets everything else pass", async () => {
    const cwd = tempDir();
    const other = join(tempDir(), "f");
    writeFileSync(other, "");
    const check = (target: string, context: LinkCheck["context"] = agent): Promise<void> => checkLinks({ text: `see [x](${target})`, context, cwd, delivery: "d" });
    for (const target of ["file:///x", join(cwd, "new"), other]) await expect(check(target)).rejects.toMatchObject({ exit: 2 });
    for (const target of ["/missing/path", "/team/issues/1", "rel/path", "https://x/y", "/tmp"]) await check(target);
    await check("file:///x", person);
  });
});

describe("comment queries", () => {
  it.each([
    { thread: "t", recent: 1 },
    { "roots-only": true, thread: "t" },
    { "roots-only": true, recent: 1 },
    { "roots-only": true, thread: "t", tail: 1 },
    { "roots-only": true, before: "b", "before-id": "i" },
    { tail: 1 },
    { recent: 1, before: "b" },
    { recent: 1, "before-id": "i" },
    { before: "b", "before-id": "i" },
    { thread: "t", before: "b", "before-id": "i" },
  ])("refuses %o", (flags) => {
    expect(() => checkCommentQuery(flags)).toThrow();
  });

  it("folds only where servers accept it", () => {
    expect(commentQuery({}).fold).toBe(true);
    for (const flags of [{ full: true }, { since: "s" }, { thread: "t", tail: 0 }, { "roots-only": true }]) expect(commentQuery(flags).fold).toBeUndefined();
    expect(commentQuery({ thread: "t", tail: 0 }).tail).toBe(0);
  });

  it("prints the cursor as it can be pasted back", () => {
    const headers = new Headers({ "X-Multica-Next-Before": "T", "X-Multica-Next-Before-Id": "I" });
    expect(cursorLine({ recent: 2 }, headers)).toBe("Next thread cursor: --before T --before-id I");
    expect(cursorLine({ thread: "t", tail: 2 }, headers)).toBe("Next reply cursor: --before T --before-id I");
    expect(cursorLine({ recent: 2 }, new Headers({ "X-Multica-Next-Before": "T" }))).toBeUndefined();
  });

  it("drops what says nothing", () => {
    const comment = { id: "c", issue_id: "i", source_task_id: "t", n: null, list: [], zero: 0, no: false, created_at: "T", updated_at: "T" };
    expect(compactComments([comment])).toEqual([{ id: "c", zero: 0, no: false, created_at: "T" }]);
    expect(compactComments([{ created_at: "T", updated_at: "U" }])).toEqual([{ created_at: "T", updated_at: "U" }]);
  });
});
