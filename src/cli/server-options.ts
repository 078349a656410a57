import { join, resolve } from "node:path";
import type { RunContext } from "../lib/config/index.ts";
import { countFlag, textFlag } from "./flags.ts";

/** Where a server keeps its data: the flag, else `<state dir>/server` (embedded-server.md). */
export function serverDataDir(context: RunContext, flag: string | undefined, cwd: string): string {
  return flag === undefined || flag === "" ? join(context.stateDir, "server") : resolve(cwd, flag);
}

export const dataDirFlag = textFlag("where the server keeps its data", { helpValue: "<dir>" });
export const serverPortFlag = countFlag("port, 8390 unless given; 0 takes any free one", { max: 65_535 });
export const DEFAULT_PORT = 8390;
export const DEFAULT_HOST = "127.0.0.1";
