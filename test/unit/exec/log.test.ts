import { mkdirSync, readFileSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LogReader } from "../../../src/lib/exec/log/reader.ts";
import { LogWriter } from "../../../src/lib/exec/log/writer.ts";
import type { LogEvent } from "../../../src/lib/exec/types.ts";
import { type AppendFile, openAppendFile } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const MIB = 1 << 20;

function writer(dir: string, more: Partial<ConstructorParameters<typeof LogWriter>[0]> = {}): LogWriter {
  return new LogWriter({ dir, ringBytes: 4 * MIB, keepUnacknowledged: false, now: () => 1, onDegraded: () => undefined, ...more });
}

function readAll(reader: LogReader): LogEvent[] {
  const events: LogEvent[] = [];
  for (let next = reader.next(64 * 1024); next.length > 0; next = reader.next(64 * 1024)) events.push(...next);
  return events;
}

/** A piece of output whose content is its own number, so that any loss shows. */
function piece(index: number, size = 32 * 1024): Buffer {
  return Buffer.alloc(size, `${index}|`);
}

function diskBytes(dir: string): number {
  return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

describe("the log of a process", () => {
  it("gives back every record in order with number, time and kind", () => {
    const dir = tempDir();
    const log = writer(dir);
    log.append("stdout", Buffer.from("one"));
    log.append("stderr", Buffer.from("two"));
    log.append("resize", Buffer.from('{"cols":132,"rows":50}'));
    log.append("exited", Buffer.from('{"code":17,"signal":null}'));
    log.append("closed", Buffer.alloc(0));
    log.close();
    const events = readAll(new LogReader(dir));
    expect(events.map(({ seq, kind }) => [seq, kind])).toEqual([[1, "stdout"], [2, "stderr"], [3, "resize"], [4, "exited"], [5, "closed"]]);
    expect(events[0]?.data?.toString()).toBe("one");
    expect([events[2]?.size, events[3]?.exit]).toEqual([{ cols: 132, rows: 50 }, { code: 17, signal: null }]);
  });

  it("keeps head and tail within its ring and tells the exact gap to a late and to an early reader (Y18)", () => {
    const dir = tempDir();
    const log = writer(dir);
    const early = new LogReader(dir);
    const whole: Buffer[] = [];
    for (let index = 0; index < 40; index += 1) whole.push(piece(index)), log.append("stdout", piece(index));
    const seen = readAll(early);
    for (let index = 40; index < 640; index += 1) {
      whole.push(piece(index));
      log.append("stdout", piece(index));
      expect(diskBytes(dir)).toBeLessThanOrEqual(5 * MIB);
    }
    log.append("closed", Buffer.alloc(0));
    const output = Buffer.concat(whole);
    for (const events of [readAll(new LogReader(dir)), [...seen, ...readAll(early)]]) {
      const gap = events.find((event) => event.kind === "gap")?.gap;
      const before = Buffer.concat(events.flatMap((event) => (event.data !== undefined && event.seq < (gap?.first ?? 0) ? [event.data] : [])));
      const after = Buffer.concat(events.flatMap((event) => (event.data !== undefined && event.seq > (gap?.last ?? 0) ? [event.data] : [])));
      expect(before.length + (gap?.bytes ?? 0) + after.length).toBe(output.length);
      expect(before.equals(output.subarray(0, before.length))).toBe(true);
      expect(after.equals(output.subarray(output.length - after.length))).toBe(true);
      expect(events.filter((event) => event.kind === "gap")).toHaveLength(1);
      expect((gap?.last ?? 0) - (gap?.first ?? 0) + 1 + events.length - 1).toBe(641);
    }
    expect(log.droppedBytes + diskOutput(dir)).toBe(output.length);
  });

  it("continues at a cursor, also one inside of what is gone", () => {
    const dir = tempDir();
    const log = writer(dir, { ringBytes: 3 * MIB });
    for (let index = 0; index < 300; index += 1) log.append("stdout", piece(index));
    const reader = new LogReader(dir, { seq: 100, bytes: 100 * 32 * 1024 });
    const [gap, next] = reader.next(64 * 1024);
    expect([gap?.kind, gap?.gap?.first]).toEqual(["gap", 101]);
    expect(gap?.gap?.bytes).toBe(((gap?.gap?.last ?? 0) - 100) * 32 * 1024);
    expect(next?.seq).toBe((gap?.gap?.last ?? 0) + 1);
    expect(new LogReader(dir, { seq: 299, bytes: null }).next(1)[0]?.seq).toBe(300);
  });

  it("stops before a torn or damaged last record (Y24)", () => {
    const dir = tempDir();
    const log = writer(dir);
    for (let index = 0; index < 5; index += 1) log.append("stdout", piece(index, 1000));
    const [segment] = readdirSync(dir);
    const path = join(dir, segment ?? "");
    for (const cut of [1, 500, 1020]) {
      truncateSync(path, readFileSync(path).length - (cut === 1 ? 1 : 100));
      expect(readAll(new LogReader(dir)).map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    }
  });

  it("drops nothing of a journal that was not acknowledged, and says when it is full", () => {
    const dir = tempDir();
    const log = writer(dir, { keepUnacknowledged: true, ringBytes: 2 * MIB });
    for (let index = 0; index < 160; index += 1) log.append("stdout", piece(index));
    expect(log.full).toBe(true);
    expect(readAll(new LogReader(dir)).map((event) => event.seq)).toEqual(Array.from({ length: 160 }, (_, index) => index + 1));
    log.acknowledge(150);
    expect([log.full, log.droppedBytes > 0]).toEqual([false, true]);
    expect(readAll(new LogReader(dir, { seq: 150, bytes: null })).map((event) => event.seq)).toEqual(Array.from({ length: 10 }, (_, index) => index + 151));
  });

  it("survives a full disk: the command's last MiB waits in memory, what fell out is one exact gap, later output is there (Y23)", () => {
    const dir = tempDir();
    mkdirSync(dir, { recursive: true });
    let room = 2 * MIB;
    const states: boolean[] = [];
    const open = (path: string): AppendFile => {
      const file = openAppendFile(path);
      return {
        get size() {
          return file.size;
        },
        append(parts) {
          const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
          if (bytes > room) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
          room -= bytes;
          file.append(parts);
        },
        close: () => file.close(),
      };
    };
    const log = writer(dir, { ringBytes: 64 * MIB, open, onDegraded: (degraded) => states.push(degraded) });
    for (let index = 0; index < 200; index += 1) log.append("stdout", piece(index));
    log.retry();
    expect(states).toEqual([true]);
    room = 64 * MIB;
    log.retry();
    log.append("stdout", piece(200));
    expect(states).toEqual([true, false]);
    const events = readAll(new LogReader(dir));
    const gaps = events.flatMap((event) => event.gap ?? []);
    expect(gaps).toHaveLength(1);
    const kept = events.reduce((sum, event) => sum + (event.data?.length ?? 0), 0);
    expect(kept + (gaps[0]?.bytes ?? 0)).toBe(201 * 32 * 1024);
    expect(events.at(-1)?.seq).toBe(201);
    expect((gaps[0]?.last ?? 0) - (gaps[0]?.first ?? 0) + events.length).toBe(201);
  });
});

function diskOutput(dir: string): number {
  return readAll(new LogReader(dir)).reduce((sum, event) => sum + (event.data?.length ?? 0), 0);
}
