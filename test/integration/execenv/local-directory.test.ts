// execenv.md 18, cases 30, 33 (the user's directory), 41 (on disk), 44, 46 and 56 (clean --sidecars); 45 with real tasks: daemon/task/local-directory.test.ts.
// Not here: drive roots and the Windows trees of 44 (decision 2); "not readable" and "not writable" of 44 and the locked directory of 46 mean
// nothing for root, who runs these tests in a container. Of 30 `.cursor/mcp.json` comes with that provider (case 48).
import { spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkLocalDirectory, leaveLocalDirectory, writeBrief } from "../../../src/lib/execenv/index.ts";
import { allProviderFiles, providerFiles } from "../../../src/lib/execenv/providers.ts";
import { machine, prepareInput, put } from "../../support/execenv.ts";
import { taskId, world } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";
import { LOCAL_PROJECT, LOCAL_SKILLS, MARKER, enterLocal as enter, fullTask, picture, roundTrip } from "../../support/local-tasks.ts";
import { waitFor } from "../../support/wait.ts";

// Acceptance cases of execenv.md 18 that are not tested here or beside this file, and why (decision 23):
// 6 second part, copies in place of links: Windows. 8, 9, 10, the three-way refresh: a later setting (decision 10).
// 30, the part about Cursor's mcp.json, and 48 to 50: those providers' homes are not built. 34: preparation in a process
// of its own (16) is optional and not built. 46 "locked directory surfaces the rmdir error": needs a user other than root.
// Elsewhere: 45 in test/integration/daemon/task/local-directory.test.ts, 47 in worktree.test.ts.

describe("a task in a user's directory", () => {
  it("leaves marker, context, skills and manifest while it runs, and nothing afterwards", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    const environment = await enter(place, base);
    expect(environment).toMatchObject({ workdir: base, localDirectory: true, reused: false });
    expect(readdirSync(base).sort()).toEqual([".agent_context", ".claude", ".multica"]);
    expect(readdirSync(join(base, ".claude", "skills")).sort()).toEqual(["deploy", "deploy-multica"]);
    const manifest = JSON.parse(readFileSync(join(environment.root, ".multica_sidecar_manifest.json"), "utf8")) as { files: string[]; dirs: string[] };
    expect(manifest.files).toContain(join(base, MARKER));
    expect(manifest.dirs.indexOf(join(base, ".claude"))).toBeLessThan(manifest.dirs.indexOf(join(base, ".claude", "skills")));
    expect(existsSync(join(environment.root, ".managed_env.json"))).toBe(false);
    expect(existsSync(join(environment.root, "workdir"))).toBe(false);
    await leaveLocalDirectory(environment.root);
    expect(readdirSync(base)).toEqual([]);
    await leaveLocalDirectory(environment.root);
    environment.release();
  });

  it.each([...new Set(allProviderFiles().map((files) => files.skills))])("keeps a user's own skill in %s", async (skills) => {
    const provider = ["claude", "codebuddy", "copilot", "cursor", "deveco", "dsh", "gemini", "grok", "kimi", "kiro", "mcode", "omp", "openclaw", "opencode", "pi", "qoder", "qwen", "qwenpaw", "reasonix", "traecli", "acp", "nobody", "codex"].find((id) => providerFiles(id).skills === skills);
    const place = machine();
    const base = tempDir("multica-local-");
    if (skills !== null) put(join(base, ...skills.split("/"), "deploy", "SKILL.md"), "mine");
    const before = picture(base);
    const environment = await enter(place, base, "1", provider ?? "");
    if (skills !== null) expect(readdirSync(join(base, ...skills.split("/"))).sort()).toEqual(["deploy", "deploy-multica", "deploy-multica-2"]);
    else expect(readdirSync(join(environment.codexHome ?? "", "skills")).sort()).toEqual(["deploy", "deploy-multica"]);
    await leaveLocalDirectory(environment.root);
    environment.release();
    expect(picture(base)).toEqual(before);
  });

  it("gives back seeded random trees exactly: bytes, modes, links and times", async () => {
    const place = machine();
    for (let seed = 1; seed <= 30; seed += 1) await roundTrip(place, seed);
  });

  it("leaves no residue after five tasks, and keeps what the agent made in our directories", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    put(join(base, "CLAUDE.md"), "mine");
    const before = picture(base);
    for (let round = 1; round <= 5; round += 1) await fullTask(place, base, { tail: String(round) });
    expect(picture(base)).toEqual(before);
    const environment = await enter(place, base, "9");
    put(join(base, ".claude", "skills", "deploy", "notes.md"), "agent's");
    rmSync(join(base, ".agent_context"), { recursive: true });
    await leaveLocalDirectory(environment.root);
    environment.release();
    expect(readFileSync(join(base, ".claude", "skills", "deploy", "notes.md"), "utf8")).toBe("agent's");
    expect(Object.keys(picture(base)).filter((path) => path.endsWith("SKILL.md") || path.includes(".multica"))).toEqual([]);
  });

  it.each([
    ["missing", null],
    ["empty", ""],
    ["only blanks", " \n\n "],
    ["without a final line end", "text"],
    ["with one", "text\n"],
    ["with two", "text\n\n"],
    ["with many", "text\n\n\n\n"],
    ["with Windows line ends", "a\r\nb\r\n\r\n"],
    ["with a stray end marker", "<!-- END MULTICA-RUNTIME -->\ntext"],
  ])("gives back the brief's file byte for byte: %s", async (_what, content) => {
    const place = machine();
    const base = tempDir("multica-local-");
    if (content !== null) {
      writeFileSync(join(base, "CLAUDE.md"), content);
      utimesSync(join(base, "CLAUDE.md"), 1_000_000, 1_000_000);
      chmodSync(join(base, "CLAUDE.md"), 0o640);
    }
    const before = picture(base);
    for (const tail of ["1", "2"]) await fullTask(place, base, { tail });
    expect(picture(base)).toEqual(before);
  });

  it("writes the brief through a link within the directory, and not through one that leads out", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    const outside = tempDir("multica-outside-");
    writeFileSync(join(base, "CLAUDE.md"), "shared by two names\n");
    symlinkSync("CLAUDE.md", join(base, "AGENTS.md"));
    const before = picture(base);
    const environment = await enter(place, base, "1", "acp");
    await writeBrief(environment, { contextFile: "AGENTS.md", task: { issueId: "i" } });
    expect([lstatSync(join(base, "AGENTS.md")).isSymbolicLink(), readFileSync(join(base, "CLAUDE.md"), "utf8").includes("MULTICA-RUNTIME")]).toEqual([true, true]);
    await leaveLocalDirectory(environment.root);
    environment.release();
    expect(picture(base)).toEqual(before);
    writeFileSync(join(outside, "global.md"), "all my projects\n");
    rmSync(join(base, "AGENTS.md"));
    symlinkSync(join(outside, "global.md"), join(base, "AGENTS.md"));
    const second = await enter(place, base, "2", "acp");
    await expect(writeBrief(second, { contextFile: "AGENTS.md", task: { issueId: "i" } })).rejects.toMatchObject({ code: "local_brief_shared" });
    await leaveLocalDirectory(second.root);
    second.release();
    expect(readFileSync(join(outside, "global.md"), "utf8")).toBe("all my projects\n");
  });

  it.each([
    ["a file where a directory of ours belongs", (base: string) => put(join(base, ".agent_context"), "mine")],
    ["a link where a directory of ours belongs", (base: string) => symlinkSync(tempDir(), join(base, ".claude"))],
    ["somebody's marker", (base: string) => put(join(base, MARKER), '{"managed_by":"somebody"}')],
  ])("is refused and takes back what it wrote: %s", async (_what, damage) => {
    const place = machine();
    const base = tempDir("multica-local-");
    put(join(base, "src", "main.ts"), "code");
    damage(base);
    const before = picture(base);
    await expect(enter(place, base)).rejects.toThrow();
    expect(picture(base)).toEqual(before);
    expect(existsSync(join(place.root, "0f6d3c1e-0000-4000-8000-000000000001", "000000000001"))).toBe(false);
  });

  it("takes away what a killed execution left, at whatever point it was killed", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    put(join(base, "CLAUDE.md"), "mine");
    const before = picture(base);
    for (const [round, delay] of [0, 1, 2, 4, 6, 9, 14, 20].entries()) {
      const input = { ...prepareInput(place, taskId(String(round)), { provider: "claude", localWorkDir: base, task: { skills: LOCAL_SKILLS, project: LOCAL_PROJECT } }), logger: undefined };
      const child = spawn(process.execPath, [join(import.meta.dirname, "../../support/env-child.ts"), JSON.stringify(input), ""], { stdio: ["pipe", "pipe", "inherit"] });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await waitFor("the child to begin", () => output.includes("begin"));
      const limit = performance.now() + delay;
      await waitFor("the moment", () => performance.now() >= limit);
      child.kill("SIGKILL");
      await ended;
      // Another task in the same directory, or the same one again: both clear up.
      await fullTask(place, base, { tail: round % 2 === 0 ? String(round) : String(100 + round) });
      expect([delay, picture(base)]).toEqual([delay, before]);
    }
  });

  it("does not remove through links that were planted meanwhile, nor what a forged manifest names", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    const outside = tempDir("multica-outside-");
    put(join(outside, "issue_context.md"), "precious");
    const environment = await enter(place, base);
    rmSync(join(base, ".agent_context"), { recursive: true });
    symlinkSync(outside, join(base, ".agent_context"));
    await expect(leaveLocalDirectory(environment.root)).rejects.toMatchObject({ code: "env_symlinked" });
    expect(readFileSync(join(outside, "issue_context.md"), "utf8")).toBe("precious");
    expect(existsSync(join(base, MARKER))).toBe(false);
    put(join(base, "src", "main.ts"), "code");
    for (const forged of [join(outside, "issue_context.md"), join(base, "src", "main.ts"), `${base}/.multica/../src/main.ts`]) {
      writeFileSync(join(environment.root, ".multica_sidecar_manifest.json"), JSON.stringify({ base, files: [forged], dirs: [] }));
      await expect(leaveLocalDirectory(environment.root)).rejects.toMatchObject({ code: "sidecar_manifest_corrupt" });
    }
    expect([existsSync(join(base, "src", "main.ts")), existsSync(join(outside, "issue_context.md"))]).toEqual([true, true]);
    environment.release();
  });

  it("has nothing to clean without a list of ours, and says what kept a directory from going (case 46)", async () => {
    const place = machine();
    const base = tempDir("multica-local-");
    const environment = await enter(place, base);
    environment.release();
    const manifest = join(environment.root, ".multica_sidecar_manifest.json");
    const list = readFileSync(manifest, "utf8");
    rmSync(manifest);
    const during = picture(base);
    await leaveLocalDirectory(environment.root);
    expect(picture(base)).toEqual(during);
    writeFileSync(manifest, list);
    await leaveLocalDirectory(environment.root);
    expect([readdirSync(base), existsSync(manifest)]).toEqual([[], false]);
    await leaveLocalDirectory(environment.root);
  });

  it("is put right by clean --sidecars, byte for byte, and its root survives that", async () => {
    const w = world();
    const base = tempDir("multica-local-");
    put(join(base, "CLAUDE.md"), "mine");
    const before = picture(base);
    const environment = await enter(w, base);
    await writeBrief(environment, { contextFile: "CLAUDE.md", task: { issueId: "i" } });
    expect((await w.run(["clean", environment.root, "--sidecars", "--yes"])).code).toBe(7);
    environment.release();
    expect((await w.run(["list", "--json"])).json["envs"]).toMatchObject([{ state: "local", local_directory: base }]);
    expect((await w.run(["clean", environment.root, "--sidecars", "--dry-run"])).code).toBe(0);
    expect((await w.run(["clean", environment.root, "--sidecars", "--yes"])).code).toBe(0);
    expect([picture(base), existsSync(environment.root)]).toEqual([before, true]);
    expect((await w.run(["heal", environment.root])).code).toBe(0);
    expect((await w.run(["clean", environment.root, "--yes"])).code).toBe(0);
    expect([picture(base), existsSync(environment.root)]).toEqual([before, false]);
  });

  it("is left alone by heal until --local permits it", async () => {
    const w = world();
    const base = tempDir("multica-local-");
    put(join(base, "CLAUDE.md"), "mine");
    const before = picture(base);
    const environment = await enter(w, base);
    await writeBrief(environment, { contextFile: "CLAUDE.md", task: { issueId: "i" } });
    expect((await w.run(["inspect", environment.root])).stdout).not.toContain("SIDE_LEFTOVER");
    environment.release();
    const during = picture(base);
    const found = await w.run(["heal", environment.root]);
    expect([found.code, found.stdout.includes("SIDE_LEFTOVER"), found.stdout.includes("--local")]).toEqual([8, true, true]);
    expect((await w.run(["heal", environment.root, "--local", "--dry-run"])).code).toBe(8);
    expect(picture(base)).toEqual(during);
    // Its user stands in the directory and knows nothing of environments.
    expect((await w.run(["heal", "--local"], { cwd: base })).code).toBe(0);
    expect(picture(base)).toEqual(before);
  });
});

describe("a local directory's path", () => {
  it("may be a project below the home, also through a link, and nothing that belongs to everybody (case 44)", async () => {
    const { home } = machine();
    const project = join(home, "project");
    mkdirSync(project);
    expect(await checkLocalDirectory(project, home)).toBe(project);
    put(join(home, "file"), "x");
    for (const [name, target] of [["to-root", "/"], ["to-etc", "/etc"], ["to-usr", "/usr"], ["to-temp", tmpdir()], ["to-home", home]] as const) symlinkSync(target, join(home, name));
    symlinkSync(project, join(home, "to-project"));
    symlinkSync(join(home, "nowhere"), join(home, "dangling"));
    expect(await checkLocalDirectory(join(home, "to-project"), home)).toBe(project);
    const bad = ["relative", "/", "/etc", "/home", "/root", "/usr", "/var", "/opt", "/tmp", "/var/tmp", tmpdir(), "/Users", "/Users/Shared", home, `${home}/`, join(home, "nowhere"), join(home, "file"), join(home, "to-root"), join(home, "to-etc"), join(home, "to-usr"), join(home, "to-temp"), join(home, "to-home"), join(home, "dangling"), `${project}/../..${home}`];
    const said = new Set<string>();
    for (const path of bad) {
      const error: unknown = await checkLocalDirectory(path, home).catch((caught: unknown) => caught);
      expect([path, error]).toEqual([path, expect.objectContaining({ code: "local_directory_error" })]);
      said.add(String((error as Error).message).replace(path, "").replace(/leads to \S+/, "leads to it"));
    }
    // A text of its own for each cause: relative, forbidden, leading there, missing, no directory.
    expect(said.size).toBeGreaterThanOrEqual(5);
    expect(readdirSync(project)).toEqual([]);
  });
});
