import { defineConfig } from "vitest/config";

/** The chaos run: a real daemon and server, killed and cut at random moments; the seed is printed and replays it. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts"],
    passWithNoTests: false,
    testTimeout: 540_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    env: { NO_COLOR: "1", MULTICA_TEST: "1" },
  },
});
