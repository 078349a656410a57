import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ModelCatalog, getProvider } from "../../../src/lib/agents/index.ts";
import { groupAlive, systemClock } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const NODE_DIR = dirname(process.execPath);

/** An agent that answers each line of JSON-RPC with what `answer` makes of it; it notes its pid. */
function agent(dir: string, answer: string): string {
  const path = join(dir, "agent.mjs");
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    path,
    `#!/usr/bin/env node
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
appendFileSync(${JSON.stringify(join(dir, "pids"))}, process.pid + " " + process.argv.slice(2).join(" ") + "\\n");
const send = (frame) => process.stdout.write(JSON.stringify(frame) + "\\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  ${answer}
});
`,
  );
  chmodSync(path, 0o755);
  return path;
}

const list = (catalog: ModelCatalog, provider: string, executable: string, fixedArgs: string[] = [], signal = new AbortController().signal) =>
  catalog.list({ spec: getProvider(provider), executable, fixedArgs, env: { PATH: `${NODE_DIR}:/usr/bin:/bin` }, cwd: dirname(executable), clock: systemClock, signal });
const runs = (dir: string): string[] => readFileSync(join(dir, "pids"), "utf8").trim().split("\n");

const CODEX = `
  if (method === "initialize") send({ id, result: {} });
  if (method === "model/list" && params.cursor === undefined) send({ id, result: { data: [
    { id: "m1", model: "m1", displayName: "Model 1", hidden: false, isDefault: true, defaultReasoningEffort: "low",
      supportedReasoningEfforts: [{ reasoningEffort: "low", description: "fast" }, { reasoningEffort: "xhigh", description: "" }],
      serviceTiers: [{ id: "priority", name: "Fast", description: "2x" }] },
    { id: "secret", model: "secret", displayName: "Secret", hidden: true } ], nextCursor: "next" } });
  if (method === "model/list" && params.cursor === "next") send({ id, result: { data: [{ id: "m2", model: "m2" }], nextCursor: null } });`;

describe("the models of codex", () => {
  it("are asked of its app-server, page by page, without hidden ones, and the process is ended", async () => {
    const dir = tempDir();
    const listing = await list(new ModelCatalog(), "codex", agent(dir, CODEX));
    expect(listing).toEqual({
      fallback: false,
      models: [
        {
          id: "m1",
          label: "Model 1",
          provider: "openai",
          default: true,
          thinking: { supported_levels: [{ value: "low", label: "Low", description: "fast" }, { value: "xhigh", label: "Extra high" }], default_level: "low" },
          service_tiers: [{ id: "priority", name: "Fast", description: "2x" }],
        },
        { id: "m2", label: "m2", provider: "openai" },
      ],
    });
    expect(groupAlive(Number(runs(dir)[0]?.split(" ")[0]))).toBe(false);
  });

  it("are kept for a minute by executable and arguments; the arguments of a profile come first [R-9]", async () => {
    const dir = tempDir();
    const catalog = new ModelCatalog();
    const path = agent(dir, CODEX);
    await Promise.all([list(catalog, "codex", path), list(catalog, "codex", path)]);
    await list(catalog, "codex", path);
    expect(runs(dir)).toHaveLength(1);
    await list(catalog, "codex", path, ["--profile", "fast"]);
    expect(runs(dir)[1]).toContain(" --profile fast app-server");
  });

  it("are a list of ours, marked and not kept, when it refuses, ends or cannot be started [R-10]", async () => {
    for (const answer of ['send({ id, error: { code: 1, message: "no" } });', "process.exit(3);", 'console.log("garbage"); process.exit(0);']) {
      const dir = tempDir();
      const catalog = new ModelCatalog();
      const path = agent(dir, answer);
      const listing = await list(catalog, "codex", path);
      expect(listing).toMatchObject({ fallback: true });
      expect(listing?.models.filter((model) => model.default === true)).toHaveLength(1);
      await list(catalog, "codex", path);
      expect(runs(dir)).toHaveLength(2);
    }
    expect(await list(new ModelCatalog(), "codex", "/nowhere/codex")).toMatchObject({ fallback: true });
  });

  it("are given up when the daemon stops, and the agent is ended", async () => {
    const dir = tempDir();
    const stop = new AbortController();
    const asking = list(new ModelCatalog(), "codex", agent(dir, "setTimeout(() => {}, 0);"), [], stop.signal);
    stop.abort(new Error("stop"));
    await expect(asking).rejects.toThrow("stop");
  });
});

describe("the models of an ACP agent", () => {
  it("come with a session in an empty directory, repeats and blanks left out", async () => {
    const dir = tempDir();
    const listing = await list(
      new ModelCatalog(),
      "acp",
      agent(
        dir,
        `if (method === "initialize") send({ jsonrpc: "2.0", id, result: { protocolVersion: 1 } });
         if (method === "session/new") send({ jsonrpc: "2.0", id, result: { sessionId: "s", models: { currentModelId: "x:b", availableModels: [
           { modelId: "a", name: "A" }, { modelId: " x:b ", name: "unknown" }, { modelId: "a", name: "again" }, { modelId: "", name: "" } ] },
           configOptions: [{ id: "effort", currentValue: "low", options: [{ value: "low", name: "Low" }, { value: "high" }] }] } });`,
      ),
    );
    expect(listing?.models).toEqual([
      { id: "a", label: "A" },
      { id: "x:b", label: "x:b", provider: "x", default: true, thinking: { supported_levels: [{ value: "low", label: "Low" }, { value: "high", label: "High" }], default_level: "low" } },
    ]);
  });

  it("are the values of its model option when it lists none, and an error when it does not answer", async () => {
    const option = `if (method === "initialize") send({ id, result: {} });
      if (method === "session/new") send({ id, result: { sessionId: "s", configOptions: [{ id: "m", category: "model", currentValue: "two", options: [{ value: "one", name: "One" }, { value: "two", name: "" }] }] } });`;
    expect((await list(new ModelCatalog(), "acp", agent(tempDir(), option)))?.models).toEqual([{ id: "one", label: "One" }, { id: "two", label: "two", default: true }]);
    await expect(list(new ModelCatalog(), "acp", agent(tempDir(), "process.exit(1);"))).rejects.toMatchObject({ code: "model_probe_failed" });
  });
});
