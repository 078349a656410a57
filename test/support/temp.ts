import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./at-end.ts";

/** A fresh directory that is removed when the running test ends. */
export function tempDir(prefix = "multica-test-"): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}
