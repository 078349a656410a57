import { existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DaemonConfig } from "../../../src/lib/config/index.ts";
import { openLog } from "../../../src/lib/daemon/log.ts";
import { openBackgroundLog } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const MIB = 1 << 20;

describe("the daemon's log", () => {
  /** Whether a log of this size turns over with these limits. */
  const turnsOver = (bytes: number, size: string | undefined): boolean => {
    const stateDir = tempDir();
    writeFileSync(join(stateDir, "daemon.log"), "");
    truncateSync(join(stateDir, "daemon.log"), bytes);
    const env: Record<string, string> = size === undefined ? {} : { MULTICA_DAEMON_LOG_MAX_SIZE_MB: size };
    const log = openLog({ config: { stateDir, logLevel: "info" } as DaemonConfig, env });
    log.info("one line");
    log.info("another");
    log.close();
    return readdirSync(stateDir).some((name) => name.startsWith("daemon-"));
  };

  it("has its default size for everything that is no positive number (L-10)", () => {
    for (const size of [undefined, "0", "-3", "x", " ", "1.5"]) expect([size, turnsOver(20 * MIB + 1, size), turnsOver(19 * MIB, size)]).toEqual([size, true, false]);
    expect([turnsOver(3 * MIB, "2"), turnsOver(MIB, "2")]).toEqual([true, false]);
  });
});

describe("the crash log", () => {
  it("is rolled when it is large, and appended to when it is small (L-11)", () => {
    const path = join(tempDir(), "daemon.err.log");
    writeFileSync(path, "small\n");
    const small = openBackgroundLog(path, 5 * MIB);
    small.close();
    expect([small.offset, readFileSync(path, "utf8"), existsSync(`${path}.1`)]).toEqual([6, "small\n", false]);
    truncateSync(path, 5 * MIB);
    const large = openBackgroundLog(path, 5 * MIB);
    large.close();
    expect([large.offset, statSync(path).size, statSync(`${path}.1`).size]).toEqual([0, 0, 5 * MIB]);
  });
});
