// cli.md 5.7, 5.12: what the commands for agents and workspaces make of their flags, and what they refuse before any request.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copiedAgent } from "../../../src/cli/agent-copy.ts";
import { agentSecrets, mcpConfigField } from "../../../src/cli/agent-secrets.ts";
import { readAvatar } from "../../../src/cli/avatar.ts";
import { serverConfig } from "../../../src/cli/mcp-fields.ts";
import { workspaceFields } from "../../../src/cli/workspace-fields.ts";
import { EXIT, errorText, isMulticaError } from "../../../src/lib/core/index.ts";
import { tempDir } from "../../support/temp.ts";

const SECRET = "hunter2";

/** The text of the usage error that `work` must end with. */
async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(isMulticaError(error) && error.exit).toBe(EXIT.usage);
    return errorText(error);
  }
  throw new Error("nothing was refused");
}

describe("agent copy", () => {
  const source = {
    ...{ id: "a", workspace_id: "w", name: "Dev", runtime_id: "r1", description: "d", instructions: "i", avatar_url: "/a", custom_args: ["--x"] },
    ...{ model: "m", thinking_level: "high", service_tier: "fast", max_concurrent_tasks: 3, permission_mode: "public_to", custom_env: { A: SECRET } },
    ...{ invocation_targets: [{ target_type: "member", target_id: "u" }, { target_type: "workspace", target_id: null }], mcp_config: { mcpServers: {} } },
    ...{ runtime_config: { a: 1 }, skills: [{ id: "s1", enabled: true }, { id: "s2", enabled: false }, { id: "s3" }] },
  };
  const plain = { name: undefined, runtimeId: undefined, fields: {}, skills: true };
  const targets = [{ target_type: "member", target_id: "u" }, { target_type: "workspace" }];

  it("takes everything along but what may be secret or belongs to the runtime's settings", () => {
    expect(copiedAgent(source, plain)).toEqual({
      ...{ name: "Dev (copy)", runtime_id: "r1", description: "d", instructions: "i", avatar_url: "/a", custom_args: ["--x"], max_concurrent_tasks: 3 },
      ...{ model: "m", thinking_level: "high", service_tier: "fast", permission_mode: "public_to", invocation_targets: targets, skill_ids: ["s1", "s3"] },
    });
  });

  it("leaves model, level and tier with the runtime; another one needs a model, even if it is none", async () => {
    expect(await refusal(() => copiedAgent(source, { ...plain, runtimeId: "r2" }))).toContain("needs --model");
    const moved = copiedAgent(source, { ...plain, runtimeId: "r2", fields: { model: "" } });
    expect([moved.model, moved.thinking_level, moved.service_tier, moved.runtime_id]).toEqual(["", undefined, undefined, "r2"]);
    expect(copiedAgent(source, { ...plain, runtimeId: "R1" }).model).toBe("m");
    expect(await refusal(() => copiedAgent({ ...source, runtime_id: "" }, plain))).toContain("has no runtime");
  });

  it("lets flags win, leaves out a count no server takes, skills on request, and the permission when one was given", () => {
    for (const count of [0, 2.5, 51]) expect(copiedAgent({ ...source, max_concurrent_tasks: count }, plain).max_concurrent_tasks).toBeUndefined();
    const other = copiedAgent(source, { ...plain, name: "X", skills: false, fields: { visibility: "private", max_concurrent_tasks: 9, instructions: "" } });
    expect(other).toMatchObject({ name: "X", visibility: "private", max_concurrent_tasks: 9, instructions: "" });
    expect([other.permission_mode, other.invocation_targets, other.skill_ids]).toEqual([undefined, undefined, undefined]);
  });
});

describe("configurations that may hold secrets", () => {
  const none = { "server-config-stdin": false, "mcp-config-stdin": false, "custom-env-stdin": false };

  it("come from one source, inline or a file", async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, "c.json"), '{"command":"x"}');
    expect(await serverConfig({ ...none, "server-config-file": "c.json" }, cwd)).toEqual({ command: "x" });
    expect(await serverConfig(none, cwd)).toBeUndefined();
    expect(await mcpConfigField({ ...none, "mcp-config": "null" }, cwd)).toEqual({ mcp_config: null });
    expect(await agentSecrets({ ...none, "custom-env": '{"A":"1"}', "mcp-config-file": "c.json" }, cwd)).toEqual({ custom_env: { A: "1" }, mcp_config: { command: "x" } });
    expect(await agentSecrets(none, cwd)).toEqual({});
  });

  it("are refused without being quoted when they are two, blank, or of another shape", async () => {
    for (const [text, work] of [
      ["exclude each other", () => serverConfig({ ...none, "server-config": "{}", "server-config-stdin": true }, "/")],
      ["exclude each other", () => agentSecrets({ ...none, "custom-env-stdin": true, "mcp-config-stdin": true }, "/")],
      ["is blank", () => serverConfig({ ...none, "server-config": " \n" }, "/")],
      ["is blank", () => mcpConfigField({ ...none, "mcp-config": "" }, "/")],
      ["--server-config-file is empty", () => serverConfig({ ...none, "server-config-file": "" }, "/")],
      ["must be a JSON object", () => serverConfig({ ...none, "server-config": `{"a":${SECRET}}` }, "/")],
      ["must be a JSON object", () => serverConfig({ ...none, "server-config": "null" }, "/")],
      ["must be a JSON object or null", () => mcpConfigField({ ...none, "mcp-config": `["${SECRET}"]` }, "/")],
    ] as const) {
      const message = await refusal(work);
      expect(message).toContain(text);
      expect(message).not.toContain(SECRET);
    }
  });
});

describe("a workspace's texts", () => {
  const none = { "description-stdin": false, "context-stdin": false };

  it("are sent when they were given, also empty; one standard input is not two", async () => {
    expect(await workspaceFields(none)).toEqual({});
    expect(await workspaceFields({ ...none, description: "", context: "a\\nb", "issue-prefix": " ac " })).toEqual({ description: "", context: "a\nb", issue_prefix: "ac" });
    expect(await refusal(() => workspaceFields({ ...none, "issue-prefix": " " }))).toContain("--issue-prefix is empty");
    expect(await refusal(() => workspaceFields({ "description-stdin": true, "context-stdin": true }))).toContain("exclude each other");
    expect(await refusal(() => workspaceFields({ ...none, context: "x", "context-stdin": true }))).toBe("--context and --context-stdin exclude each other");
  });
});

describe("an agent's picture", () => {
  it("is an image of at most 5 MiB", async () => {
    const cwd = tempDir();
    const limit = 5 * 1024 * 1024;
    writeFileSync(join(cwd, "most.PNG"), Buffer.alloc(limit));
    writeFileSync(join(cwd, "more.webp"), Buffer.alloc(limit + 1));
    writeFileSync(join(cwd, "x.svg"), "<svg/>");
    expect(await readAvatar("most.PNG", cwd)).toMatchObject({ name: "most.PNG", type: "image/png" });
    expect(await refusal(() => readAvatar("more.webp", cwd))).toContain("more than 5 MiB");
    expect(await refusal(() => readAvatar("x.svg", cwd))).toContain("is not one of png, jpg, jpeg, gif, webp");
    expect(await refusal(() => readAvatar("gone.png", cwd))).toContain("is not there");
  });
});
