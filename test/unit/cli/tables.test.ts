import { describe, expect, it } from "vitest";
import { choosePerson } from "../../../src/cli/resolve.ts";
import { shortIds } from "../../../src/lib/core/index.ts";
import { statusText } from "../../../src/views/daemon.ts";
import { runTable } from "../../../src/views/issues.ts";
import { tableText } from "../../../src/views/table.ts";

const ONE = "01a1fc74-2c23-74fd-8cdb-72a71722de0a";
const TWO = "01a1fc74-3190-7233-bdd9-d4b0d882a54e";

describe("tables", () => {
  it("have no blanks at the end of a line", () => {
    expect(tableText(["A", "B", "C"], [["x", "", ""], ["long", "y", null]])).toBe("A     B  C\nx\nlong  y\n");
  });

  it("show an id as short as it is unique: the head of a time-ordered one is not", () => {
    const short = shortIds([ONE, TWO, "ffffffff-0000-4000-8000-000000000000"]);
    expect([short(ONE), short(TWO), short("ffffffff-0000-4000-8000-000000000000")]).toEqual(["01a1fc74-2", "01a1fc74-3", "ffffffff"]);
    const run = (id: string) => ({ id, agent_id: "a", runtime_id: "r", status: "failed" }) as Parameters<typeof runTable>[0][number];
    const ids = runTable([run(ONE), run(TWO)], false).split("\n").slice(1, 3).map((line) => line.split(" ")[0]);
    expect(ids).toEqual(["01a1fc74-2", "01a1fc74-3"]);
  });
});

describe("an ambiguous name", () => {
  const people = [ONE, TWO].map((id) => ({ kind: "agent" as const, id, name: "Dev" }));

  it("is listed with ids that tell the candidates apart, and such an id finds one", () => {
    expect(() => choosePerson(people, "dev")).toThrow("agent Dev (01a1fc74-2), agent Dev (01a1fc74-3)");
    expect(choosePerson(people, "01a1fc74-3").id).toBe(TWO);
  });
});

describe("daemon status with somebody else on the port", () => {
  it("says whose daemon it is", () => {
    const stopped = (profile: string) => statusText({ status: "stopped", port_conflict: { port: 1, profile } }, "");
    expect(stopped("work")).toContain("Port 1 is used by the daemon of profile work.");
    expect(stopped("")).toContain("Port 1 is used by a daemon with another state directory.");
  });
});
