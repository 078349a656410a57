import { describe, expect, it } from "vitest";
import { type AdmitFacts, admit } from "../../../../src/lib/daemon/task/admit.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";

const launch = { provider: "codex", path: "/bin/codex", version: "1", fixedArgs: [], profileId: null };
const runtime = { id: "r", workspaceId: "w", name: "n", provider: "codex", profileId: null };
const facts: AdmitFacts = { shuttingDown: false, daemonId: "d", runtime, launch };

function task(fields: Partial<Task> = {}): Task {
  const agent = { id: "a", name: "Dev" };
  return { id: "t", agent_id: "a", runtime_id: "r", workspace_id: "w", status: "dispatched", issue_id: "i", auth_token: "mat_x", agent, ...fields };
}

const reason = (fields: Partial<Task>, other: Partial<AdmitFacts> = {}): string => {
  const admission = admit(task(fields), { ...facts, ...other });
  return admission.kind === "refused" ? admission.reason : admission.kind;
};

const NEWER = "agent_error.runtime_version_unsupported";

describe("admit", () => {
  it("admits issue and comment tasks with their own token", () => {
    expect(admit(task(), facts)).toMatchObject({ kind: "admitted", job: { token: "mat_x", provider: "codex", launch } });
    expect(reason({ trigger_comment_id: "c" })).toBe("admitted");
    expect(reason({ agent: { id: "a", name: "x", mcp_config: null, skills: [], skill_refs: null } })).toBe("admitted");
  });

  it("refuses a task of a runtime that is gone (K-6) or an agent that is not there", () => {
    expect(reason({}, { runtime: undefined })).toBe("runtime_offline");
    expect(reason({}, { launch: null })).toBe("agent_error.runtime_missing_executable");
    expect(reason({}, { shuttingDown: true })).toBe("runtime_recovery");
  });

  it.each([undefined, "", "mul_secret", "MAT_x"])("refuses the token %j (K-7)", (token) => {
    expect(reason({ auth_token: token })).toBe("agent_error.unknown");
    const admission = admit(task({ auth_token: token }), facts);
    expect(JSON.stringify(admission)).not.toContain("mul_secret");
  });

  it("refuses an agent that is not the task's (K-8)", () => {
    expect(reason({ agent_id: "b" })).toBe("invalid_task_identity");
    expect(reason({ agent: null })).toBe("invalid_task_identity");
    expect(reason({ agent_id: " " })).toBe("invalid_task_identity");
    expect(reason({ workspace_id: "" })).toBe("agent_error.unknown");
  });

  it("takes a local directory of this daemon to the letter or not at all, and ignores another's (K-14)", () => {
    const resource = (ref: unknown) => ({ project_resources: [{ id: "1", resource_type: "local_directory", resource_ref: ref }] });
    for (const mode of [undefined, "", "in_place", "worktree"]) expect(reason(resource({ daemon_id: "d", local_path: "/x", execution_mode: mode }))).toBe("admitted");
    expect(reason(resource({ daemon_id: "d", local_path: "/x", execution_mode: "sandboxed" }))).toBe("local_directory_error");
    expect(reason(resource({ daemon_id: "d", local_path: "x" }))).toBe("local_directory_error");
    const { project_resources: one } = resource({ daemon_id: "d", local_path: "/x" });
    expect(reason({ project_resources: [...one, ...one] })).toBe("local_directory_error");
    expect(reason(resource('{"daemon_id":"d"}'))).toBe("local_directory_error");
    expect(reason(resource("not json"))).toBe("local_directory_error");
    expect(reason(resource({ local_path: "/x" }))).toBe("local_directory_error");
    expect(reason(resource({ daemon_id: "other" }))).toBe("admitted");
  });

  it("admits every kind of work, and refuses what carries none", () => {
    expect(reason({ chat_session_id: "s", issue_id: "" })).toBe("admitted");
    expect(reason({ issue_id: "", autopilot_run_id: "x" })).toBe("admitted");
    expect(reason({ issue_id: "", quick_create_prompt: "x" })).toBe("admitted");
    expect(reason({ issue_id: "" })).toBe("agent_error.unknown");
    expect(reason({ issue_id: "", trigger_comment_id: "c" })).toBe("agent_error.unknown");
  });

  it("refuses by name what this build cannot do", () => {
    expect(reason({ agent: { id: "a", name: "x", skill_refs: [{ id: "s" }], skills: [{ id: "s" }] } })).toBe("admitted");
    for (const skill of [{ id: "s" }, { name: "s" }, { name: " ", content: "" }, { name: "s", content: "", files: [{ path: "x" }] }, { name: "s", content: "", files: "x" }]) {
      expect(reason({ agent: { id: "a", name: "x", skills: [skill] } })).toBe("skill_bundle_unavailable");
    }
    expect(reason({ agent: { id: "a", name: "x", skills: [{ name: "s", content: "c", files: [{ path: "x", content: "y" }] }, { name: "t", content: "" }] } })).toBe("admitted");
    expect(reason({ remote_mcp_connections: [{}] })).toBe(NEWER);
    expect(reason({ plugin_hook_tools: [{}] })).toBe(NEWER);
  });

  it("knows a squad leader by the server's word, or by the briefing before that (M-8)", () => {
    const leader = (fields: Partial<Task>): boolean => {
      const admission = admit(task(fields), facts);
      return admission.kind === "admitted" && admission.job.leader;
    };
    const briefed = { id: "a", name: "x", instructions: "…\n## Squad Operating Protocol\n…" };
    expect(leader({ leader_role_resolved: true, is_leader_task: false, agent: briefed })).toBe(false);
    expect(leader({ agent: briefed })).toBe(true);
    expect(leader({ leader_role_resolved: true, squad_id: "s" })).toBe(true);
    expect(leader({ leader_role_resolved: true, is_leader_task: true })).toBe(true);
    expect(leader({ is_leader_task: true })).toBe(false);
  });

  it("gives a leader no local directory: the work there is others'", () => {
    const here = { project_resources: [{ id: "1", resource_type: "local_directory", resource_ref: { daemon_id: "d", local_path: "/x" } }] };
    const local = (fields: Partial<Task>): unknown => {
      const admission = admit(task({ ...here, ...fields }), facts);
      return admission.kind === "admitted" ? admission.job.local : undefined;
    };
    expect(local({})).toMatchObject({ path: "/x" });
    expect(local({ is_leader_task: true })).toBeUndefined();
  });
});
