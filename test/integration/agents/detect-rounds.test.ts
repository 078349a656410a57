import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DetectOptions, type Detection, type ProviderSpec, detectAgents, getProvider } from "../../../src/lib/agents/index.ts";
import { tempDir } from "../../support/temp.ts";

const SYSTEM_PATH = "/usr/bin:/bin";

function script(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

function detect(home: string, env: Record<string, string>, more: Partial<DetectOptions> = {}): Promise<Detection> {
  return detectAgents({ env: { HOME: home, PATH: `${join(home, "bin")}:${SYSTEM_PATH}`, ...env }, home, cwd: home, ...more });
}

const runs = (path: string): number => (existsSync(path) ? readFileSync(path, "utf8").length : 0);

describe("a look at the agents of this machine", () => {
  it("starts no shell while everything is on PATH [A-3], and none for a path that was named [A-2]", async () => {
    const home = tempDir();
    const marker = join(home, "shell-ran");
    const shell = script(join(home, "bash"), `printf x >> '${marker}'`);
    script(join(home, "bin", "codex"), "echo codex 0.130.0");
    expect((await detect(home, { SHELL: shell })).agents).toMatchObject([{ source: "path" }]);
    expect((await detect(home, { SHELL: shell, MULTICA_CODEX_PATH: "/nope/codex" })).agents).toEqual([]);
    expect(runs(marker)).toBe(0);
  });

  it("waits at most five seconds for a shell whose profile leaves a job on its output [A-4]", async () => {
    const home = tempDir();
    script(join(home, "tools", "codex"), "echo codex 0.130.0");
    writeFileSync(join(home, ".bash_profile"), `export PATH="${join(home, "tools")}:$PATH"\nsleep 30 &\n`);
    const before = performance.now();
    await detect(home, { SHELL: "/bin/bash" });
    // The rest is what starting a shell costs on a busy machine.
    expect(performance.now() - before).toBeLessThan(5000 + 3000);
  });

  it("finds the program behind a hook through the login shell too [A-1]", async () => {
    const home = tempDir();
    script(join(home, ".multica", "hooks", "codex"), "echo hook 0.0.1");
    const real = script(join(home, "tools", "codex"), "echo codex 0.130.0");
    writeFileSync(join(home, ".bash_profile"), `export PATH="${join(home, ".multica", "hooks")}:${join(home, "tools")}:$PATH"\n`);
    expect((await detect(home, { SHELL: "/bin/bash" })).agents).toMatchObject([{ path: real, source: "login-shell" }]);
  });

  it("asks eight programs at once [A-8]", async () => {
    const home = tempDir();
    const log = join(home, "log");
    const specs = Array.from({ length: 10 }, (_, at): ProviderSpec => ({ ...getProvider("codex"), id: `p${at}`, command: `cmd${at}`, variables: { path: null, model: null, args: null }, bundlePaths: [] }));
    // Each waits until eight have begun, which never happens when they are asked one after another.
    for (const [at] of specs.entries()) {
      script(join(home, "bin", `cmd${at}`), `printf x >> '${log}'; n=0; while [ "$(wc -c < '${log}')" -lt 8 ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; [ $n -lt 100 ] && echo tool 1.2.3`);
    }
    const { agents } = await detect(home, {}, { specs });
    expect(agents).toHaveLength(10);
  }, 60_000);

  it("asks again what failed at once [A-10], and once only what takes its time to fail or is too old [A-11]", async () => {
    const home = tempDir();
    const count = join(home, "count");
    script(join(home, "bin", "codex"), `printf x >> '${count}'; [ "$(wc -c < '${count}')" -gt 1 ] || exit 1; echo codex 0.130.0`);
    expect((await detect(home, {})).agents).toHaveLength(1);
    expect(runs(count)).toBe(2);
    const slow = tempDir();
    script(join(slow, "bin", "codex"), `printf x >> '${join(slow, "count")}'; exec sleep 30`);
    expect((await detect(slow, {}, { probeTimeoutMs: 1200 })).skipped).toMatchObject([{ cause: "unavailable" }]);
    expect(runs(join(slow, "count"))).toBe(1);
    const old = tempDir();
    script(join(old, "bin", "codex"), `printf x >> '${join(old, "count")}'; echo codex 0.99.0`);
    expect((await detect(old, {})).skipped).toMatchObject([{ cause: "below_minimum" }]);
    expect(runs(join(old, "count"))).toBe(1);
  });

  it("tells a file that cannot be executed from one that fails", async () => {
    const home = tempDir();
    const path = join(home, "bin", "codex");
    script(path, "exit 7");
    expect((await detect(home, {})).skipped).toMatchObject([{ cause: "unavailable", reason: expect.stringContaining("exit status 7") as string }]);
    for (const [content, why] of [["", "it is empty"], ["install me first\n", "neither a program nor a script"], [Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1]), "a macOS program"]] as const) {
      writeFileSync(path, content, { mode: 0o755 });
      const expected = process.platform === "darwin" && why === "a macOS program" ? "version probe failed" : why;
      expect((await detect(home, {})).skipped[0]?.reason).toContain(expected);
    }
  });

  it("keeps what it found before while the file is there, whatever comes to PATH", async () => {
    const home = tempDir();
    const first = script(join(home, "later", "codex"), "echo codex 0.130.0");
    const pinned = new Map([["codex", { path: first, source: "path" as const }]]);
    script(join(home, "bin", "codex"), "echo codex 0.169.0");
    expect((await detect(home, {}, { pinned })).agents).toMatchObject([{ path: first, version: "codex 0.130.0" }]);
  });

  it("looks where version managers keep programs, the newest version first, when nobody else knows", async () => {
    const home = tempDir();
    for (const version of ["v18.20.0", "v24.3.0", "v22.1.0"]) script(join(home, ".nvm", "versions", "node", version, "bin", "codex"), `echo codex 0.130.0`);
    expect((await detect(home, {})).agents).toMatchObject([{ path: join(home, ".nvm/versions/node/v24.3.0/bin/codex"), source: "version-manager" }]);
    const elsewhere = tempDir();
    script(join(elsewhere, "shims", "codex"), "echo codex 0.140.0");
    expect((await detect(tempDir(), { MISE_DATA_DIR: elsewhere })).agents).toMatchObject([{ path: join(elsewhere, "shims", "codex") }]);
    expect((await detect(home, { MULTICA_CODEX_PATH: "/nope/codex" })).agents).toEqual([]);
  });
});
