import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findByEnv } from "../../src/lib/platform/index.ts";
import type { Comment } from "../../src/lib/wire/index.ts";
import { Product } from "../support/product.ts";
import { waitFor } from "../support/wait.ts";
import { codexConfig } from "./codex-config.ts";
import { installedAgent } from "./install.ts";
import { type ModelRequest, type Step, scriptedModel } from "./model.ts";

const VERSION = "0.169.0";

/** The last issue id that the prompt names. */
function issueIn(text: string): string {
  return text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g)?.at(-1) ?? "";
}

describe("a real codex through the whole product", () => {
  it("takes an issue, checks out, edits, commits, comments, and resumes its session for a second comment", async () => {
    const codex = installedAgent("codex", `@openai/codex@${VERSION}`, "codex");
    let issueId = "";
    let repoUrl = "";
    let parent = "";
    const script = (request: ModelRequest): Step => {
      const second = parent !== "";
      if (request.results === 0) {
        return { command: `which multica && multica issue get ${issueId} --output json` };
      }
      if (request.results === 1 && !second) {
        return {
          command:
            `set -e; dir=$(multica repo checkout '${repoUrl}' --output json | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).path))'); ` +
            `cd "$dir"; echo "A line from codex." >> README.md; git add -A; git commit -qm "Add a line"; git log --oneline -1`,
        };
      }
      if (request.results === (second ? 1 : 2)) {
        const reply = second ? ` --parent ${parent}` : "";
        return { command: `multica issue comment add ${issueId} --content "Done: ${second ? "second" : "first"} run"${reply} && multica issue status ${issueId} in_review` };
      }
      return { text: second ? "Answered the second comment." : "Worked on the issue." };
    };
    const model = await scriptedModel(script);
    const product = new Product({ env: { MULTICA_CODEX_PATH: codex, MOCK_API_KEY: "sk-mock" } });
    mkdirSync(join(product.home, ".codex"), { recursive: true });
    writeFileSync(join(product.home, ".codex", "config.toml"), codexConfig(model.url));
    await product.setUp();
    repoUrl = await product.repository();
    const api = product.api();
    const runtime = await waitFor("a codex runtime", async () => (await api.runtimes()).find((row) => row.provider === "codex" && row.status === "online"), 30_000);
    expect(runtime.metadata?.["version"]).toContain(VERSION);
    const agent = await api.createAgent({ name: "Codex", runtime_id: runtime.id, visibility: "workspace" });
    const issue = await api.createIssue({ title: "Add a line", assignee_type: "agent", assignee_id: agent.id, status: "backlog" });
    issueId = issue.id;
    await api.updateIssue(issue.id, { status: "todo" });

    const first = await product.waitForTask(issue, (task) => ["completed", "failed", "cancelled"].includes(task.status), 120_000);
    expect(first.status, `${first.error ?? ""}\n${model.requests.at(-1)?.lastResult ?? ""}`).toBe("completed");
    expect(issueIn(model.requests[0]?.text ?? "")).not.toBe("");
    expect((await api.issue(issue.id)).status).toBe("in_review");
    const comments = (await api.comments(issue.id)).body as Comment[];
    expect(comments.map((comment) => comment.content)).toContain("Done: first run");
    expect(committedFiles(product, first.id)).toBe("README.md");

    const comment = await api.addComment(issue.id, { content: "Please look once more." });
    parent = comment.id;
    const second = await product.waitForTask(issue, (task) => task.id !== first.id && ["completed", "failed"].includes(task.status), 120_000);
    expect(second.status, second.error ?? "").toBe("completed");
    expect(second.session_id).toBe(first.session_id);
    expect(second.work_dir).toBe(first.work_dir);
    const replies = (await api.comments(issue.id)).body as Comment[];
    expect(replies.find((reply) => reply.content === "Done: second run")?.parent_id).toBe(parent);
    // The resumed conversation still holds the first turn.
    expect(model.requests.at(-1)?.text).toContain("Done: first run");

    expect(findByEnv("MULTICA_TASK_ID", first.id)).toEqual([]);
    expect(findByEnv("MULTICA_TASK_ID", second.id)).toEqual([]);
  }, 300_000);
});

/** Names of the files that the task's branch changes, read from the repository's cache. */
function committedFiles(product: Product, taskId: string): string {
  const root = join(product.env["MULTICA_WORKSPACES_ROOT"] ?? "", ".repos", product.settings().workspace_id);
  const cache = join(root, readdirSync(root).find((name) => name.endsWith(".git")) ?? "");
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: cache, env: product.env, encoding: "utf8" }).trim();
  const key = taskId.replaceAll("-", "").slice(-12);
  const ref = git("for-each-ref", "--format=%(refname)").split("\n").find((name) => name.includes(key));
  return git("diff", "--name-only", "HEAD", ref ?? "HEAD");
}
