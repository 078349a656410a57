import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { getProvider, listLocalSkills, listMcpServers, readLocalSkill } from "../../../src/lib/agents/index.ts";
import { tempDir } from "../../support/temp.ts";

const codex = getProvider("codex");

function put(path: string, content: string | Buffer = "x"): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
const document = (name: string, description = ""): string => `---\nname: ${name}\ndescription: ${description}\n---\nDo it.\n`;

interface World {
  readonly home: string;
  readonly own: string;
  readonly universal: string;
  list(): ReturnType<typeof listLocalSkills>;
  load(key: string): ReturnType<typeof readLocalSkill>;
}

function world(env: Record<string, string> = {}): World {
  const home = tempDir();
  const host = { env: { HOME: home, ...env }, home };
  return {
    home,
    own: join(home, ".codex", "skills"),
    universal: join(home, ".agents", "skills"),
    list: () => listLocalSkills(codex, host),
    load: (key) => readLocalSkill({ spec: codex, key, host }),
  };
}

describe("local skills", () => {
  it("are listed by key with what their head says, the agent's own before the shared one [R-1]", async () => {
    const { own, universal, list, load } = world();
    put(join(own, "deploy", "SKILL.md"), document("Deploy", '"ship: it"'));
    put(join(own, "deploy", "scripts", "run.sh"), "echo");
    put(join(own, "deploy", "LICENSE"), "MIT");
    put(join(own, "deploy", ".git", "HEAD"), "ref");
    put(join(universal, "deploy", "SKILL.md"), document("Other"));
    put(join(universal, "a", "b", "SKILL.md"), "no head");
    expect(await list()).toEqual([
      { key: "a/b", name: "b", source_path: "~/.agents/skills/a/b", provider: "codex", root: "universal", can_disable: true, file_count: 1 },
      { key: "deploy", name: "Deploy", description: "ship: it", source_path: "~/.codex/skills/deploy", provider: "codex", root: "provider", can_disable: true, file_count: 2 },
    ]);
    expect(await load("deploy")).toEqual({
      name: "Deploy",
      description: "ship: it",
      content: document("Deploy", '"ship: it"'),
      source_path: "~/.codex/skills/deploy",
      provider: "codex",
      files: [{ path: "scripts/run.sh", content: "echo" }],
    });
  });

  it("follow links to the directory and not inside it; cycles and depth end [R-2, R-3]", async () => {
    const { home, own, list, load } = world();
    const shared = join(home, "installer", "tool");
    put(join(shared, "SKILL.md"), document("Tool"));
    put(join(shared, "notes.md"), "n");
    put(join(home, "secret.txt"), "secret");
    symlinkSync(join(home, "secret.txt"), join(shared, "secret.txt"));
    mkdirSync(own, { recursive: true });
    symlinkSync(shared, join(own, "tool"));
    mkdirSync(join(own, "loop"));
    symlinkSync(own, join(own, "loop", "again"));
    put(join(own, "1", "2", "3", "4", "SKILL.md"), document("Deep"));
    put(join(own, "1", "2", "3", "x", "5", "6", "SKILL.md"), document("Too deep"));
    expect((await list())?.map(({ key, file_count }) => [key, file_count])).toEqual([["1/2/3/4", 1], ["tool", 2]]);
    expect((await load("tool")).files?.map(({ path }) => path)).toEqual(["notes.md"]);
  });

  it("are refused by a bad key [R-4] and not found under an unknown one", async () => {
    const { own, load } = world();
    put(join(own, "a", "SKILL.md"), document("A"));
    for (const key of ["../a", "/a", "  ", "a/../../x"]) await expect(load(key)).rejects.toMatchObject({ code: "bad_skill_key" });
    await expect(load("b")).rejects.toMatchObject({ code: "local_skill_not_found", message: "local skill not found" });
    expect((await load("./a/")).name).toBe("A");
  });

  it("have limits: 256 files, 8 MiB, 1 MiB for the document; a large file beside it is left out [R-5]", async () => {
    const { own, list, load } = world();
    for (let index = 0; index < 300; index += 1) put(join(own, "many", `f${index}.txt`));
    for (let index = 0; index < 10; index += 1) put(join(own, "heavy", `f${index}.txt`), "x".repeat(950_000));
    put(join(own, "long", "SKILL.md"), "x".repeat(2 * 1024 * 1024));
    for (const name of ["many", "heavy"]) put(join(own, name, "SKILL.md"), document(name));
    put(join(own, "fine", "SKILL.md"), document("fine"));
    put(join(own, "fine", "big.txt"), "x".repeat(2 * 1024 * 1024));
    for (const name of ["many", "heavy", "long"]) await expect(load(name)).rejects.toMatchObject({ code: "skill_too_large" });
    expect((await load("fine")).files).toEqual([]);
    expect((await list())?.map(({ key }) => key)).toEqual(["fine"]);
  });

  it("leave out what is no text, in the list's count and in the import alike [R-6]", async () => {
    const { own, list, load } = world();
    put(join(own, "s", "SKILL.md"), document("S"));
    put(join(own, "s", "utf16.txt"), Buffer.from("\ufeffhello", "utf16le"));
    put(join(own, "s", "latin.txt"), Buffer.from([0xe4, 0xf6, 0xfc]));
    put(join(own, "s", "pic.PNG"), "text in truth");
    put(join(own, "s", "ok.md"), "ä");
    expect((await list())?.[0]?.file_count).toBe(2);
    expect((await load("s")).files).toEqual([{ path: "ok.md", content: "ä" }]);
  });

  it("come from the next root when the own directory has no document [R-7]; roots may be missing, not unreadable", async () => {
    const { own, universal, list, load } = world();
    expect(await list()).toEqual([]);
    put(join(own, "s", "notes.md"), "n");
    put(join(universal, "s", "SKILL.md"), document("Shared"));
    expect((await load("s")).name).toBe("Shared");
    const broken = world();
    put(broken.own, "a file");
    await expect(broken.list()).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it("of an agent without a place of its own are not supported", async () => {
    const home = tempDir();
    expect(await listLocalSkills(getProvider("acp"), { env: {}, home })).toBeNull();
    await expect(readLocalSkill({ spec: getProvider("acp"), key: "a", host: { env: {}, home } })).rejects.toMatchObject({ code: "skills_unsupported" });
  });

  it("are looked for where CODEX_HOME says", async () => {
    const elsewhere = tempDir();
    put(join(elsewhere, "skills", "k", "SKILL.md"), document("K"));
    expect(await world({ CODEX_HOME: elsewhere }).list()).toMatchObject([{ key: "k", source_path: join(elsewhere, "skills", "k") }]);
  });
});

describe("MCP servers", () => {
  it("leave the machine as names, transports and switches only, sorted [R-8]", async () => {
    const home = tempDir();
    put(
      join(home, ".codex", "config.toml"),
      `[mcp_servers.zeta]\ncommand = "npx"\nargs = ["--token", "s3cret"]\nenv = { KEY = "s3cret" }\n[mcp_servers.Alpha]\nurl = "https://x.test/?key=s3cret"\nenabled = false\n`,
    );
    const servers = await listMcpServers(codex, { env: {}, home });
    expect(servers).toEqual([
      { name: "Alpha", transport: "http", source: "user", enabled: false },
      { name: "zeta", transport: "stdio", source: "user", enabled: true },
    ]);
    expect(JSON.stringify(servers)).not.toContain("s3cret");
  });

  it("are none without a file, an error in a broken one, and unknown for other agents", async () => {
    const home = tempDir();
    expect(await listMcpServers(codex, { env: {}, home })).toEqual([]);
    put(join(home, ".codex", "config.toml"), "= broken");
    await expect(listMcpServers(codex, { env: {}, home })).rejects.toThrow();
    expect(await listMcpServers(getProvider("acp"), { env: {}, home })).toBeNull();
  });
});
