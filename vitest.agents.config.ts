import { defineConfig } from "vitest/config";

/** Real agent CLIs against a scripted model on 127.0.0.1; needs the npm registry once, to install them. */
export default defineConfig({
  test: {
    include: ["test/agents/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
    env: { NO_COLOR: "1", MULTICA_TEST: "1" },
  },
});
