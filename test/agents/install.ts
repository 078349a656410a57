import { execFileSync } from "node:child_process";
import { userInfo } from "node:os";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

/** Path of a real agent's executable; installed once into a cache folder that git ignores. */
export function installedAgent(name: string, spec: string, executable: string): string {
  const dir = join(root, ".cache", "agents", name);
  const path = join(dir, "node_modules", ".bin", executable);
  if (existsSync(path)) return path;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), '{"private":true}\n');
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--save-exact", spec], {
    cwd: dir,
    stdio: "inherit",
    timeout: 10 * 60_000,
    // The account's own npm settings and cache; the tests themselves run in another home.
    env: { ...process.env, HOME: userInfo().homedir },
  });
  return path;
}
