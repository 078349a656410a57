// execenv.md 18, cases 36, 37 and 39; 35 with every provider: skills-in-environment.test.ts, 38: unit/execenv/skill-frontmatter.test.ts.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SkillFact, syncSkills } from "../../../src/lib/execenv/skills/index.ts";
import { put, snapshot } from "../../support/execenv.ts";
import { tempDir } from "../../support/temp.ts";

const DIRECTORY = join(".agents", "skills");

/** A workdir with a skills directory, and the names that are ours as the caller keeps them. */
function place() {
  const base = tempDir("multica-skills-");
  const state = { own: [] as readonly string[] };
  const sync = (skills: readonly SkillFact[]) =>
    syncSkills({ base, directory: DIRECTORY, skills, own: state.own, claim: (slugs) => Promise.resolve(void (state.own = slugs)) });
  return { base, skills: join(base, DIRECTORY), sync, state };
}

const deploy: SkillFact = { name: "Deploy It!", description: "ships", content: "Do it.\n", files: [{ path: "docs/SKILL.md", content: "inner" }, { path: "run.sh", content: "#!/bin/sh\n" }] };

describe("syncing skills", () => {
  it("writes each under its slug with that name in its head", async () => {
    const { skills, sync, state } = place();
    expect(await sync([deploy])).toEqual([{ name: "Deploy It!", slug: "deploy-it", advertised: true }]);
    expect(readFileSync(join(skills, "deploy-it", "SKILL.md"), "utf8")).toBe('---\nname: deploy-it\ndescription: "ships"\n---\n\nDo it.\n');
    expect(readFileSync(join(skills, "deploy-it", "docs", "SKILL.md"), "utf8")).toBe("inner");
    expect(state.own).toEqual(["deploy-it"]);
  });

  it("writes nothing the second time", async () => {
    const { base, sync } = place();
    await sync([deploy]);
    const before = snapshot(base);
    await sync([deploy]);
    expect(snapshot(base)).toEqual(before);
  });

  it("puts back what somebody changed, added to or took from a skill of ours, and never makes a second one", async () => {
    const { skills, sync } = place();
    await sync([deploy]);
    const before = Object.keys(snapshot(skills));
    writeFileSync(join(skills, "deploy-it", "run.sh"), "changed");
    await sync([deploy]);
    put(join(skills, "deploy-it", "cache", "x"), "added");
    await sync([deploy]);
    writeFileSync(join(skills, "deploy-it", "SKILL.md"), "");
    await sync([deploy]);
    expect(Object.keys(snapshot(skills))).toEqual(before);
    expect(readdirSync(skills)).toEqual(["deploy-it"]);
  });

  it("removes one that is no longer wanted and leaves the agent's own", async () => {
    const { skills, sync, state } = place();
    put(join(skills, "mine", "SKILL.md"), "agent's own");
    await sync([deploy]);
    await sync([]);
    expect(readdirSync(skills)).toEqual(["mine"]);
    expect(state.own).toEqual([]);
  });

  it("steps aside for a directory that is not ours, and gives colliding skills names of their own", async () => {
    const { skills, sync } = place();
    put(join(skills, "deploy-it", "SKILL.md"), "user's own");
    const placed = await sync([deploy, { ...deploy, name: "deploy it" }, { ...deploy, name: "DEPLOY  IT" }]);
    expect(placed.map((skill) => skill.slug)).toEqual(["deploy-it-multica", "deploy-it-multica-2", "deploy-it-multica-3"]);
    expect(readFileSync(join(skills, "deploy-it", "SKILL.md"), "utf8")).toBe("user's own");
    expect(readdirSync(skills).sort()).toEqual(["deploy-it", ...placed.map((skill) => skill.slug)].sort());
  });

  it("knows its directories again after a crash between the first write and the last", async () => {
    const { skills, sync, state } = place();
    await sync([deploy]);
    // What a crash leaves: claimed, half written.
    writeFileSync(join(skills, "deploy-it", "SKILL.md"), "half");
    state.own = ["deploy-it", "other"];
    await sync([deploy, { name: "other", content: "x" }]);
    expect(readdirSync(skills).sort()).toEqual(["deploy-it", "other"]);
  });

  it("claims before it writes", async () => {
    const base = tempDir("multica-skills-");
    const failing = syncSkills({ base, directory: DIRECTORY, skills: [deploy], own: [], claim: () => Promise.reject(new Error("disk full")) });
    await expect(failing).rejects.toThrow("disk full");
    expect(readdirSync(base)).toEqual([]);
  });

  it("leaves out a file that would replace the main document, under any spelling", async () => {
    const { skills, sync } = place();
    const files = ["SKILL.md", "skill.MD", "./SKILL.md", "a/../SKILL.md"].map((path) => ({ path, content: "evil" }));
    await sync([{ name: "x", content: "main", files: [...files, { path: "ok.md", content: "ok" }] }]);
    expect(readdirSync(join(skills, "x")).sort()).toEqual(["SKILL.md", "ok.md"]);
    expect(readFileSync(join(skills, "x", "SKILL.md"), "utf8")).toContain("main");
  });

  it.each(["../x", "/etc/x", "a/../../x", "a\\b", "", ".", "..", "a//b", "./a", "a/", "a\0b", "a/./b"])("refuses the whole skill for the path %j", async (path) => {
    const { base, sync } = place();
    await expect(sync([deploy, { name: "x", content: "main", files: [{ path, content: "evil" }] }])).rejects.toMatchObject({ code: "skill_invalid" });
    expect(readdirSync(base)).toEqual([]);
  });

  it.each([
    ["twice the same", "a.md", "a.md"],
    ["different only in case", "a.md", "A.md"],
    ["composed and decomposed", "\u00e9.md", "e\u0301.md"],
    ["a file and a directory", "a", "a/b"],
    ["the main document as a directory", "ok", "skill.md/x"],
  ])("refuses two files on one place: %s", async (_what, one, two) => {
    const { sync } = place();
    const files = [one, two].map((path) => ({ path, content: "" }));
    await expect(sync([{ name: "x", content: "main", files }])).rejects.toMatchObject({ code: "skill_invalid" });
  });

  it.each([".agents", DIRECTORY])("writes nothing behind a planted link at %s", async (at) => {
    const { base, sync } = place();
    const outside = tempDir("multica-outside-");
    mkdirSync(join(base, at, ".."), { recursive: true });
    symlinkSync(outside, join(base, at));
    await expect(sync([deploy])).rejects.toMatchObject({ code: "env_symlinked" });
    expect(readdirSync(outside)).toEqual([]);
  });

  it("replaces links planted in a skill of ours and spares what they point at", async () => {
    const { skills, sync } = place();
    const outside = tempDir("multica-outside-");
    writeFileSync(join(outside, "run.sh"), "user's own");
    await sync([deploy]);
    for (const plant of [() => symlinkSync(outside, join(skills, "deploy-it", "link")), () => symlinkSync(join(outside, "run.sh"), join(skills, "deploy-it", "x"))]) {
      plant();
      await sync([deploy]);
      expect(readdirSync(join(skills, "deploy-it")).sort()).toEqual(["SKILL.md", "docs", "run.sh"]);
    }
    // The whole skill as a link: ours to remove, never to follow.
    rmSync(join(skills, "deploy-it"), { recursive: true });
    symlinkSync(outside, join(skills, "deploy-it"));
    await sync([deploy]);
    expect(readFileSync(join(outside, "run.sh"), "utf8")).toBe("user's own");
    expect(existsSync(join(outside, "SKILL.md"))).toBe(false);
    expect(readdirSync(join(skills, "deploy-it")).sort()).toEqual(["SKILL.md", "docs", "run.sh"]);
  });
});
