import { describe, expect, it } from "vitest";
import { isTimezone, nextRun, parseCron } from "../../../src/lib/server/services/autopilots/cron.ts";

function next(expression: string, after: string, timezone = "UTC"): string | null {
  const cron = parseCron(expression);
  if (cron === null) return "invalid";
  const at = nextRun(cron, timezone, Date.parse(after));
  return at === null ? null : new Date(at).toISOString().slice(0, 16);
}

describe("nextRun", () => {
  it.each([
    ["* * * * *", "2026-07-05T09:30:00Z", "UTC", "2026-07-05T09:31"],
    ["* * * * *", "2026-07-05T09:30:59.999Z", "UTC", "2026-07-05T09:31"],
    ["0 9 * * *", "2026-07-05T09:00:00Z", "UTC", "2026-07-06T09:00"],
    ["*/15 * * * *", "2026-07-05T09:46:00Z", "UTC", "2026-07-05T10:00"],
    ["5/20 * * * *", "2026-07-05T09:06:00Z", "UTC", "2026-07-05T09:25"],
    ["0 9-17/4 * * mon-fri", "2026-07-03T17:00:00Z", "UTC", "2026-07-06T09:00"],
    ["0 0 1 jan *", "2026-07-05T00:00:00Z", "UTC", "2027-01-01T00:00"],
    ["0 0 29 2 *", "2026-07-05T00:00:00Z", "UTC", "2028-02-29T00:00"],
    ["0 12 13 * fri", "2026-07-05T00:00:00Z", "UTC", "2026-07-10T12:00"],
    ["30 8 * * 7", "2026-07-05T09:00:00Z", "UTC", "2026-07-12T08:30"],
    ["@daily", "2026-07-05T09:00:00Z", "UTC", "2026-07-06T00:00"],
    ["0 9 * * *", "2026-07-05T00:00:00Z", "Asia/Kolkata", "2026-07-05T03:30"],
    ["0 9 * * *", "2026-07-05T16:00:00Z", "America/New_York", "2026-07-06T13:00"],
    ["0 9 * * *", "2026-01-05T00:00:00Z", "America/New_York", "2026-01-05T14:00"],
    // Clocks go from 02:00 to 03:00 on 2026-03-29 and from 03:00 back to 02:00 on 2026-10-25.
    ["30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-30T00:30"],
    ["30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", "2026-10-25T00:30"],
    ["30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-26T01:30"],
    ["30 * * * *", "2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25T01:30"],
    ["0 0 * * *", "2026-03-28T22:00:00Z", "Europe/Berlin", "2026-03-28T23:00"],
  ])("%s after %s in %s is %s", (expression, after, timezone, expected) => {
    expect(next(expression, after, timezone)).toBe(expected);
  });

  it("is null for what never comes", () => {
    expect(next("0 0 31 2 *", "2026-07-05T00:00:00Z")).toBeNull();
  });
});

describe("parseCron", () => {
  it.each(["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "*-5 * * * *", "1,,2 * * * *", "@never", "-1 * * * *"])(
    "refuses %j",
    (text) => {
      expect(parseCron(text)).toBeNull();
    },
  );

  it("knows time zones by name", () => {
    expect([isTimezone("Europe/Berlin"), isTimezone("UTC"), isTimezone("Mars/Base")]).toEqual([true, true, false]);
  });
});
