import { describe, expect, it } from "vitest";
import { mcpServers, reachable } from "../../../src/lib/agents/families/acp/mcp.ts";

describe("a managed MCP configuration for ACP", () => {
  it("becomes the session's servers, in the order of their names", () => {
    const config = {
      mcpServers: {
        web: { url: "https://x/mcp", headers: { B: "2", A: "1" } },
        old: { url: "https://y/sse", type: "sse" },
        files: { command: "files", args: ["--root", "."], env: { Z: "1", A: "2" } },
      },
    };
    expect(mcpServers(config)).toEqual({
      kind: "servers",
      warnings: [],
      servers: [
        { name: "files", command: "files", args: ["--root", "."], env: [{ name: "A", value: "2" }, { name: "Z", value: "1" }] },
        { type: "sse", name: "old", url: "https://y/sse", headers: [] },
        { type: "http", name: "web", url: "https://x/mcp", headers: [{ name: "A", value: "1" }, { name: "B", value: "2" }] },
      ],
    });
    expect(mcpServers(JSON.stringify(config))).toEqual(mcpServers(config));
  });

  it("is no server at all when it is empty", () => {
    for (const config of [undefined, null, "", {}, { mcpServers: {} }]) expect(mcpServers(config)).toEqual({ kind: "servers", servers: [], warnings: [] });
  });

  it("leaves a broken entry out and keeps the others; servers under another key are named, not used (AC29)", () => {
    const broken = mcpServers({ mcpServers: { bad: { args: [] }, worse: 3, good: { command: "x" } } });
    expect(broken).toMatchObject({ servers: [{ name: "good" }], warnings: [expect.stringContaining('"bad"'), expect.stringContaining('"worse"')] });
    expect(mcpServers({ servers: { a: {}, b: {} } })).toMatchObject({ servers: [], warnings: [expect.stringMatching(/2 servers under "servers"/)] });
    for (const config of ["not json", "[]", 3, [], { mcpServers: [] }]) expect(mcpServers(config).kind).toBe("invalid");
  });

  it("loses the remote servers whose transport the agent does not speak (AC28)", () => {
    const conversion = mcpServers({ mcpServers: { h: { url: "u" }, s: { url: "u", type: "sse" }, l: { command: "x" } } });
    const servers = conversion.kind === "servers" ? conversion.servers : [];
    expect(reachable(servers, { mcpCapabilities: { http: true } })).toMatchObject({ servers: [{ name: "h" }, { name: "l" }], dropped: ["s"] });
    expect(reachable(servers, {})).toMatchObject({ servers: [{ name: "l" }], dropped: ["h", "s"] });
  });
});
