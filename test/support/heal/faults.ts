// Preloaded into a process that heals (`node --import`): counts the operations that change files below a directory and
// dies, or fails, at one of them. The file-system edge itself is what is replaced, for that process alone: the product's
// code runs unchanged. A write of content that is to be the last one is cut in half.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export interface Faults {
  /** Only operations on paths below it count. */
  readonly below: string;
  /** The operation at which it happens, from 1; 0: never, only count. */
  readonly at: number;
  readonly how: "kill" | "ENOSPC" | "EIO";
  /** A failure stays: every later operation fails as well, but those that remove (a full disk). */
  readonly stays?: boolean;
}

const faults = JSON.parse(process.env["HEAL_FAULTS"] ?? '{"below":"/","at":0,"how":"kill"}') as Faults;
let count = 0;

/** How many operations there were. */
export function operations(): number {
  return count;
}

type Call = (...args: unknown[]) => unknown;
type Module = Record<string, Call>;

function counts(args: readonly unknown[]): boolean {
  return args.slice(0, 2).some((arg) => typeof arg === "string" && (arg.startsWith(faults.below) || arg.startsWith("/proc/self/fd/")));
}

function due(name: string): boolean {
  count += 1;
  if (process.env["HEAL_TRACE"] !== undefined) process.stderr.write(`${count} ${name}\n`);
  const removes = /^(rm|unlink|rmdir)/.test(name);
  return faults.at > 0 && (count === faults.at || (faults.stays === true && count > faults.at && !removes));
}

function strike(name: string): void {
  if (!due(name)) return;
  if (faults.how === "kill") process.kill(process.pid, "SIGKILL");
  throw Object.assign(new Error(`${faults.how}: injected, ${name}`), { code: faults.how });
}

const WRITES = ["mkdir", "rename", "link", "symlink", "unlink", "rm", "rmdir", "copyFile", "chmod", "utimes", "writeFile", "appendFile"];
const promises = fs.promises as unknown as Module;
const sync = fs as unknown as Module;

for (const name of WRITES) {
  const plain = promises[name] as Call;
  promises[name] = async (...args) => {
    if (counts(args)) strike(name);
    return plain(...args);
  };
  const plainSync = sync[`${name}Sync`] as Call;
  sync[`${name}Sync`] = (...args) => {
    if (counts(args)) strike(`${name}Sync`);
    return plainSync(...args);
  };
}

const open = promises["open"] as Call;
promises["open"] = async (...args) => {
  const flags = args[1];
  const writes = typeof flags === "number" ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0 : typeof flags === "string" && flags !== "r";
  if (!writes || !counts(args)) return open(...args);
  strike("open");
  const handle = (await open(...args)) as Module;
  const write = (handle["writeFile"] as Call).bind(handle);
  const plain = { chmod: (handle["chmod"] as Call).bind(handle), sync: (handle["sync"] as Call).bind(handle) };
  for (const [name, call] of Object.entries(plain)) {
    handle[name] = async (...rest) => {
      strike(`handle.${name}`);
      return call(...rest);
    };
  }
  handle["writeFile"] = async (data: unknown) => {
    const bytes = Buffer.from(data as Uint8Array);
    if (!due("handle.writeFile")) return write(data);
    await write(bytes.subarray(0, bytes.length / 2));
    if (faults.how === "kill") process.kill(process.pid, "SIGKILL");
    throw Object.assign(new Error(`${faults.how}: injected, half a write`), { code: faults.how });
  };
  return handle;
};
syncBuiltinESMExports();
