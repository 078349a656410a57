import { closeSync, openSync, readSync } from "node:fs";

/** ELF machine numbers of the processors Node names. */
const MACHINES: Readonly<Record<string, number>> = { x64: 0x3e, arm64: 0xb7, ia32: 0x03, arm: 0x28, riscv64: 0xf3, ppc64: 0x15, s390x: 0x16 };
const MACH_O = new Set([0xfeedface, 0xfeedfacf, 0xcafebabe, 0xcefaedfe, 0xcffaedfe]);

/**
 * Why the system would refuse to execute this file, or null when its head looks right. Only asked after a failed start: the
 * C library hands whatever the kernel refuses to a shell, whose complaint tells nothing. Package managers that skip install
 * scripts leave such placeholders behind.
 */
export function notForThisSystem(path: string, system: { readonly platform: string; readonly arch: string } = process): string | null {
  const head = headOf(path);
  if (head === null) return null;
  if (head.length === 0) return "it is empty";
  if (head.subarray(0, 2).toString("latin1") === "#!") return null;
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) {
    if (system.platform === "darwin") return "it is a Linux program";
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    const own = MACHINES[system.arch];
    return own === undefined || own === machine ? null : "it was built for another processor";
  }
  if (head.length >= 4 && MACH_O.has(head.readUInt32BE(0))) return system.platform === "darwin" ? null : "it is a macOS program";
  return "it is neither a program nor a script (was its installation finished?)";
}

function headOf(path: string): Buffer | null {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const head = Buffer.alloc(64);
    return head.subarray(0, readSync(file, head, 0, head.length, 0));
  } catch {
    return null;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
