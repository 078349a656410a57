import { defineConfig } from "vitest/config";

/** The long tests with their full counts; in shards: `npm run test:long -- --shard 1/4`. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts"],
    passWithNoTests: false,
    testTimeout: 540_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    env: { NO_COLOR: "1", MULTICA_TEST: "1" },
  },
});
