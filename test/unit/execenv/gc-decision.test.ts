// execenv.md 18, case 51: every row of the decision.
import { describe, expect, it } from "vitest";
import { type GcFacts, type GcLimits, type GcParent, type ParentAnswer, decideGc } from "../../../src/lib/execenv/gc/decision.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 6, 10);
const limits: GcLimits = { ttlMs: 24 * HOUR, orphanTtlMs: 72 * HOUR, artifactTtlMs: 12 * HOUR, completedTaskTtlMs: 0 };
const hoursAgo = (hours: number): number => NOW - hours * HOUR;

/** A root of an issue whose last task ended an hour ago. */
const fresh: GcFacts = { active: false, parent: { kind: "issue", id: "i" }, completedAtMs: hoursAgo(1), recordedAtMs: hoursAgo(1), localDirectory: false, mtimeMs: hoursAgo(1), managedArtifact: false };
const parent = (kind: GcParent["kind"]): Partial<GcFacts> => ({ parent: { kind, id: "p" } });
const found = (status: string, hours = 0): ParentAnswer => ({ kind: "found", status, changedAtMs: hoursAgo(hours) });
const gone: ParentAnswer = { kind: "not_found" };
const unknown: ParentAnswer = { kind: "unknown" };
const old = { mtimeMs: hoursAgo(80), completedAtMs: hoursAgo(80) };

type Row = [what: string, facts: Partial<GcFacts>, answer: ParentAnswer, action: string, limits?: Partial<GcLimits>];

const rows: Row[] = [
  ["in use, however old and finished", { ...old, active: true }, found("done", 100), "skip"],
  ["in use, without a record", { ...old, active: true, parent: null }, unknown, "skip"],
  ["in use, with its chat deleted", { ...parent("chat"), active: true }, gone, "skip"],
  ["no record, old", { ...old, parent: null }, unknown, "orphan"],
  ["no record, young", { parent: null }, unknown, "skip"],
  ["issue done long ago", {}, found("done", 25), "clean"],
  ["issue cancelled long ago", {}, found("cancelled", 25), "clean"],
  ["issue done just now", {}, found("done", 23), "skip"],
  ["issue done at a time nobody knows", {}, { kind: "found", status: "done", changedAtMs: null }, "skip"],
  ["issue open, task ended long ago", old, found("in_review", 100), "artifacts"],
  ["issue open, task ended just now", {}, found("in_progress"), "skip"],
  ["issue open, no end known", { completedAtMs: null }, found("todo"), "skip"],
  ["issue in a state nobody knows", old, found("archived_by_v9", 100), "skip"],
  ["issue not found, old", old, gone, "orphan"],
  ["issue not found, young", {}, gone, "skip"],
  ["issue open, completed rule on", old, found("todo"), "clean", { completedTaskTtlMs: 48 * HOUR }],
  ["issue open, completed rule on, too young", { completedAtMs: hoursAgo(40) }, found("todo"), "artifacts", { completedTaskTtlMs: 48 * HOUR }],
  ["issue in an unknown state, completed rule on", old, found("???"), "skip", { completedTaskTtlMs: 48 * HOUR }],
  ["completed rule on, but a user's directory", { ...old, localDirectory: true }, found("todo"), "artifacts", { completedTaskTtlMs: 48 * HOUR }],
  ["chat active, however old", { ...old, ...parent("chat") }, found("active", 1000), "skip"],
  ["chat archived long ago", parent("chat"), found("archived", 25), "clean"],
  ["chat archived just now", parent("chat"), found("archived", 1), "skip"],
  ["chat deleted", parent("chat"), gone, "clean"],
  ["autopilot run not found, old", { ...old, ...parent("autopilot_run") }, gone, "orphan"],
  ["autopilot run not found, young", parent("autopilot_run"), gone, "skip"],
  ["autopilot run going on", { ...old, ...parent("autopilot_run") }, found("running"), "skip"],
  ...["completed", "failed", "skipped", "issue_created"].map((status): Row => [`autopilot run ${status}`, parent("autopilot_run"), found(status), "clean"]),
  ...["completed", "failed", "cancelled"].map((status): Row => [`quick create ${status}`, parent("quick_create"), found(status), "clean"]),
  ["quick create going on", { ...old, ...parent("quick_create") }, found("running"), "skip"],
  ["quick create not found, old", { ...old, ...parent("quick_create") }, gone, "orphan"],
  ...(["issue", "chat", "autopilot_run", "quick_create"] as const).map((kind): Row => [`${kind}: no answer`, { ...old, ...parent(kind) }, unknown, "skip"]),
  ["user's directory, issue done", { localDirectory: true }, found("done", 25), "artifacts"],
  ["user's directory, orphan", { ...old, parent: null, localDirectory: true }, unknown, "skip"],
  ["user's directory, orphan, with the agent's programs", { ...old, parent: null, localDirectory: true, managedArtifact: true }, unknown, "managed_artifacts"],
  ["kept, ended long ago, with the agent's programs", { ...old, managedArtifact: true }, unknown, "managed_artifacts"],
  ["kept, ended just now, with the agent's programs", { managedArtifact: true }, unknown, "skip"],
  ["kept, no end known, with the agent's programs", { completedAtMs: null, managedArtifact: true }, unknown, "skip"],
  ["kept, no end known, recorded long ago, with the agent's programs", { completedAtMs: null, recordedAtMs: hoursAgo(80), managedArtifact: true }, unknown, "managed_artifacts"],
  ["artifact rule off", old, found("in_review", 100), "skip", { artifactTtlMs: 0 }],
  ["artifact rule off, with the agent's programs", { ...old, managedArtifact: true }, found("in_review", 100), "skip", { artifactTtlMs: 0 }],
  ["artifact rule off, user's directory, issue done", { localDirectory: true }, found("done", 25), "skip", { artifactTtlMs: 0 }],
  ["in use, with the agent's programs", { ...old, active: true, managedArtifact: true }, unknown, "skip"],
  ["at the limit exactly", {}, found("done", 24), "skip"],
];

describe("what becomes of an environment", () => {
  it.each<Row>(rows)("%s", (_what, facts, answer, action, change) => {
    const decision = decideGc({ ...fresh, ...facts }, answer, { ...limits, ...change }, NOW);
    expect(decision.action).toBe(action);
    expect(decision.reason).not.toBe("");
  });

  it("never deletes what is in use or what the server said nothing about, whatever else is true", () => {
    const kinds = ["issue", "chat", "autopilot_run", "quick_create"] as const;
    for (const kind of kinds)
      for (const hours of [0, 13, 25, 80, 10_000])
        for (const local of [true, false])
          for (const answer of [unknown, gone, found("done", hours), found("archived", hours), found("completed", hours)]) {
            const facts = { ...fresh, ...parent(kind), localDirectory: local, mtimeMs: hoursAgo(hours), completedAtMs: hoursAgo(hours) };
            expect(decideGc({ ...facts, active: true }, answer, limits, NOW).action).toBe("skip");
            if (answer.kind === "unknown") expect(decideGc(facts, answer, limits, NOW).action).toBe("skip");
            if (local) expect(["skip", "artifacts"]).toContain(decideGc(facts, answer, limits, NOW).action);
          }
  });
});
