import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentMessage } from "../../../../src/lib/agents/index.ts";
import { Transcript } from "../../../../src/lib/daemon/task/transcript.ts";
import type { TaskMessage } from "../../../../src/lib/wire/index.ts";

const message = fc.oneof<fc.Arbitrary<AgentMessage>[]>(
  fc.record({ kind: fc.constantFrom("text" as const, "thinking" as const), content: fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 6 }) }),
  fc.record({ kind: fc.constant("tool_use" as const), tool: fc.constant("shell"), callId: fc.constantFrom("1", "2") }),
  fc.record({ kind: fc.constant("tool_result" as const), tool: fc.constant(""), callId: fc.constantFrom("1", "2"), output: fc.constantFrom("out", "") }),
  fc.record({ kind: fc.constant("status" as const), status: fc.constant("running" as const), sessionId: fc.constant("s") }),
);

/** Entries as their reader sees them, whatever pieces the text came in. */
function joined(entries: readonly TaskMessage[]): unknown[] {
  const result: { type: string; tool: unknown; text: string }[] = [];
  for (const { type, content, tool, output } of entries) {
    const last = result.at(-1);
    const text = content ?? output ?? "";
    if (last !== undefined && last.type === type && (type === "text" || type === "thinking")) last.text += text;
    else result.push({ type, tool: tool ?? "", text });
  }
  return result;
}

describe("a transcript that goes on behind another one", () => {
  it("says everything once, under numbers without a gap, wherever the first one stopped", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), fc.nat(20), (messages, flushes, died) => {
        const whole = new Transcript({ secrets: [] });
        for (const [index, one] of messages.entries()) whole.add(one, index + 1);
        const expected = joined(whole.takeAll());

        // The first reads up to where it dies; what it took is in safe hands together with its mark, the rest is lost.
        const first = new Transcript({ secrets: [] });
        const safe: TaskMessage[] = [];
        let mark = first.mark;
        for (const [index, one] of messages.slice(0, died).entries()) {
          first.add(one, index + 1);
          if (flushes[index] !== true) continue;
          const taken = first.take();
          if (taken.length === 0) continue;
          safe.push(...taken);
          mark = first.mark;
        }
        const second = new Transcript({ secrets: [], firstSeq: safe.length + 1, again: mark });
        const rest: TaskMessage[] = [];
        for (const [index, one] of messages.entries()) {
          second.add(one, index + 1);
          if (flushes[19 - index] === true) rest.push(...second.take());
        }
        rest.push(...second.takeAll());
        const all = [...safe, ...rest];
        expect(all.map((entry) => entry.seq)).toEqual(all.map((_, index) => index + 1));
        expect(joined(all)).toEqual(expected);
        expect(second.toolCount).toBe(whole.toolCount);
      }),
      { numRuns: 500 },
    );
  });
});
