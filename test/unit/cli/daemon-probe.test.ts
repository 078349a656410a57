import { describe, expect, it } from "vitest";
import { probeText } from "../../../src/views/daemon-probe.ts";

describe("daemon probe-runtimes", () => {
  it("says what was found with where from, and what is not used with why", () => {
    const agent = { provider: "codex", path: "/opt/codex", version: "codex-cli 0.169.0", source: "login-shell" as const };
    const skipped = [{ provider: "other", reason: "executable not found: other", cause: "absent" as const }];
    const text = probeText({ probe_result: "success", runtime_count: 1, provider_summary: { codex: 1 }, agents: [agent], skipped });
    expect(text.split("\n")).toEqual([
      "AGENT  VERSION            FOUND                    PATH",
      "codex  codex-cli 0.169.0  through the login shell  /opt/codex",
      "Not used: other (executable not found: other)",
      "",
    ]);
    expect(probeText({ probe_result: "success", runtime_count: 0, provider_summary: {}, agents: [], skipped: [] })).toBe("No agent was found.\n");
  });
});
