import { describe, expect, it } from "vitest";
import { type DaemonConfigInput, resolveDaemonConfig, resolveGcSettings } from "../../../src/lib/config/index.ts";

const base: DaemonConfigInput = { flags: {}, env: {}, settings: {}, profile: "", stateDir: "/s", home: "/h", hostname: "box" };
const DAY = 24 * 3_600_000;

describe("settings that depend on the server", () => {
  it("turn updates by themselves on for the vendor's cloud only, unless somebody says otherwise [C-7]", () => {
    const automatic = (serverUrl: string, more: Partial<DaemonConfigInput> = {}): boolean => resolveDaemonConfig({ ...base, ...more, flags: { serverUrl, ...more.flags } }).updates.automatic;
    expect(automatic("https://API.multica.ai:443/x")).toBe(true);
    expect(automatic("https://staging.multica.ai")).toBe(false);
    expect(automatic("https://api.multica.ai.evil.test")).toBe(false);
    expect(automatic("https://own.test", { env: { MULTICA_DAEMON_AUTO_UPDATE: "true" } })).toBe(true);
    expect(automatic("https://api.multica.ai", { env: { MULTICA_DAEMON_AUTO_UPDATE: "true" }, flags: { noAutoUpdate: true } })).toBe(false);
  });

  it("keep the environments of finished tasks for ever on other servers, two weeks there, and as told [C-10]", () => {
    expect(resolveGcSettings({}, "https://own.test").completedTaskTtlMs).toBe(0);
    expect(resolveGcSettings({}, "https://api.multica.ai").completedTaskTtlMs).toBe(14 * DAY);
    expect(resolveGcSettings({ MULTICA_GC_COMPLETED_TASK_TTL: "0" }, "https://api.multica.ai").completedTaskTtlMs).toBe(0);
  });
});

describe("patterns of artifacts", () => {
  it("are names only; blank means the defaults [C-6]", () => {
    expect(resolveGcSettings({ MULTICA_GC_ARTIFACT_PATTERNS: "node_modules, foo/bar ,.next," }).artifactPatterns).toEqual(["node_modules", ".next"]);
    expect(resolveGcSettings({ MULTICA_GC_ARTIFACT_PATTERNS: " " }).artifactPatterns).toEqual(["node_modules", ".next", ".turbo"]);
  });
});

describe("the server's address", () => {
  it("loses the socket's own path and keeps every other one [C-1]", () => {
    const url = (serverUrl: string): string => resolveDaemonConfig({ ...base, flags: { serverUrl } }).serverUrl;
    expect([url("ws://localhost:8080/ws"), url("wss://h/base/ws"), url(" https://h/x/?q#f ")]).toEqual(["http://localhost:8080", "https://h/base/ws", "https://h/x"]);
    expect(() => url("ftp://h")).toThrow(/ftp/);
  });
});
