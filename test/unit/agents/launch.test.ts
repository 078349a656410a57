import { describe, expect, it } from "vitest";
import { agentEnvironment, filterCustomEnvironment, getProvider, type LaunchInput, planLaunch } from "../../../src/lib/agents/index.ts";
import { displayArgs } from "../../../src/lib/agents/launch/display.ts";
import { type FlagTable, filterFlags, unquote } from "../../../src/lib/agents/launch/flags.ts";

const codex = getProvider("codex");

function plan(change: Partial<LaunchInput> = {}): ReturnType<typeof planLaunch> {
  return planLaunch({ spec: codex, executable: "/bin/codex", options: { cwd: "/w", prompt: "p" }, inheritedEnv: {}, taskEnv: {}, ...change });
}

describe("filterFlags", () => {
  const table: FlagTable = { "--output-format": "v", "--permission-mode": "v", "-p": "s", "-w": "o", "--worktree": "o", "--model": "v", acp: "s" };

  it("drops a value flag with its value, a standalone one alone [A1]", () => {
    const result = filterFlags(["--output-format", "text", "--foo", "bar", "--permission-mode=plan", "-p", "hi"], table);
    expect(result).toEqual({ args: ["--foo", "bar", "hi"], dropped: ["--output-format", "--permission-mode", "-p"] });
  });

  it("lets an optional value flag eat no other flag [A3]", () => {
    expect(filterFlags(["-w", "--model", "m", "--worktree", "dir", "--y"], table).args).toEqual(["--y"]);
  });

  it.each([
    ["'--mode=x'", "--mode=x"],
    ["--flag='a b'", "--flag=a b"],
    ['--flag="c"', "--flag=c"],
    ["-c", "-c"],
    ['model="o3"', 'model="o3"'],
    ["'broken\"", "'broken\""],
    ["'", "'"],
  ])("takes one layer of quotes off %s [A4]", (token, plain) => {
    expect(unquote(token)).toBe(plain);
  });

  it("finds an owned flag behind quotes", () => {
    expect(filterFlags(["'--model=x'", '"--output-format"', "y"], table).args).toEqual([]);
  });

  it("keeps positionals of a prefix, whatever their name [A6, A7]", () => {
    expect(filterFlags(["run", "acp", "--output-format", "text", "-"], table, "prefix").args).toEqual(["run", "acp", "-"]);
  });

  it("does not take a property of Object for a flag", () => {
    expect(filterFlags(["constructor", "toString"], table).args).toEqual(["constructor", "toString"]);
  });
});

describe("displayArgs", () => {
  it("shows flags and trusted subcommands, nothing else [A10]", () => {
    const long = `--${"x".repeat(69)}`;
    const shown = displayArgs(["app-server", "do this", "--api-key=S", "-x", "-xy", "--ok", long, "app-server", "--a\nb"], { literals: ["app-server"], from: 0, to: 1 });
    expect(shown).toEqual(["app-server", "<redacted>", "--api-key", "-x", "<redacted>", "--ok", "<redacted>", "<redacted>", "<redacted>"]);
  });
});

describe("agentEnvironment", () => {
  it("takes out marks of another agent and everything of ours, in any case [A11]", () => {
    const inherited = { CLAUDECODE: "1", CLAUDECODE_X: "1", CLAUDE_CODE_SESSION_ID: "s", CLAUDE_CODE_USE_BEDROCK: "1", multica_token: "t", MULTICA_TOKEN: "t", HOME: "/h" };
    expect(agentEnvironment({ inherited, provider: { P: "1" }, task: { MULTICA_TASK_ID: "id", HOME: "/x" } })).toEqual({
      CLAUDE_CODE_USE_BEDROCK: "1",
      HOME: "/x",
      P: "1",
      MULTICA_TASK_ID: "id",
    });
  });

  it("refuses what an agent record may not set [A12]", () => {
    expect(filterCustomEnvironment({ PATH: "x", MULTICA_TOKEN: "t", Multica_x: "t", Codex_Home: "c", TMPDIR: "/t", "a=b": "c", FOO: "1" })).toEqual({
      env: { FOO: "1" },
      refused: ["PATH", "MULTICA_TOKEN", "Multica_x", "Codex_Home", "TMPDIR", "a=b"],
    });
  });
});

describe("planLaunch for codex", () => {
  it("puts prefix, protocol, extra, custom and final arguments in this order [A5]", () => {
    const { args } = plan({ prefix: ["wrap"], extraArgs: ["--e", "1"], customArgs: ["--c", "2"], options: { cwd: "/w", prompt: "p", serviceTier: "priority" } });
    expect(args).toEqual(["wrap", "app-server", "--listen", "stdio://", "--e", "1", "--c", "2", "--enable", "fast_mode"]);
  });

  it("lets nobody move the listener", () => {
    const { args, dropped } = plan({ prefix: ["--listen", "ws://x"], extraArgs: ["--listen=tcp"], customArgs: ["'--listen'", "x", "ok"] });
    expect(args).toEqual(["app-server", "--listen", "stdio://", "ok"]);
    expect(dropped).toEqual(["--listen", "--listen", "--listen"]);
  });

  it("drops MCP overrides only when the servers are managed [CX26]", () => {
    const customArgs = ["-c", "mcp_servers.x=1", "--config=mcp_servers.y.z=2", "-c", 'model="o3"'];
    expect(plan({ customArgs, options: { cwd: "/w", prompt: "p", managedMcp: true } }).args.slice(3)).toEqual(["-c", 'model="o3"']);
    expect(plan({ customArgs }).args.slice(3)).toEqual(customArgs);
  });

  it("protects the shell policy of a home of ours, and names no value in what it dropped", () => {
    const customArgs = ["-c", 'shell_environment_policy.set={K="secret"}', "-c", "profiles.a.shell_environment_policy.inherit=all", "--config", "model=x"];
    const result = plan({ customArgs, taskEnv: { CODEX_HOME: "/h" } });
    expect(result.args.slice(3)).toEqual(["--config", "model=x"]);
    expect(JSON.stringify(result.dropped)).not.toContain("secret");
    expect(plan({ customArgs }).args.slice(3)).toEqual(customArgs);
  });

  it("lets the tier decide the fast mode, also against the prefix [CX27]", () => {
    const { args } = plan({
      prefix: ["--disable", "fast_mode"],
      customArgs: ["-c", "features.fast_mode=false", "--disable", "other"],
      options: { cwd: "/w", prompt: "p", serviceTier: "priority" },
    });
    expect(args).toEqual(["app-server", "--listen", "stdio://", "--disable", "other", "--enable", "fast_mode"]);
  });

  it("tells which prefix flags are overridden [A8]", () => {
    expect(plan({ prefix: ["--model", "a"], customArgs: ["--model", "b"] })).toMatchObject({ overridden: ["--model"], args: ["--model", "a", "app-server", "--listen", "stdio://", "--model", "b"] });
  });

  it("shows no argument's value", () => {
    expect(plan({ prefix: ["wrap"], customArgs: ["--key=S", "words"] }).shownArgs).toEqual(["<redacted>", "app-server", "--listen", "<redacted>", "--key", "<redacted>"]);
  });
});
