import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, StreamRedactor, redactSecrets, redactText, redactValue } from "../../../src/lib/core/index.ts";

// Put together at run time, so that no scanner takes this file for a leak.
const JWT = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0", "abcdefghijklmnop"].join(".");
const secrets: readonly (readonly [string, string, string])[] = [
  ["an AWS key id", `key ${"AKIA"}ABCDEFGHIJKLMNOP end`, "key [REDACTED] end"],
  ["a GitHub token", `${"ghp_"}abcdefghijklmnopqrstuvwxyz`, "[REDACTED]"],
  ["one of our tokens", `${"mat_"}0123456789abcdef0123`, "[REDACTED]"],
  ["an API key", `${"sk-"}abcdefghijklmnop1234`, "[REDACTED]"],
  ["a web token", `a ${JWT} b`, "a [REDACTED] b"],
  ["a web token behind other parts", `x.y-${JWT}.z`, "x.y-[REDACTED].z"],
  ["a bearer header", "Authorization: Bearer abcdef123456", "Authorization: Bearer [REDACTED]"],
  ["a password in a URL", "see https://user:hunter22@h/x", "see https://user:[REDACTED]@h/x"],
  ["a password in a URL behind dots", "...https://u:p@h", "...https://u:[REDACTED]@h"],
  ["an assignment", "MY_API_KEY=abc DB_PASSWORD = 'x y' z", "MY_API_KEY=[REDACTED] DB_PASSWORD = [REDACTED] z"],
  ["an assignment in an option", "--env=GITHUB_TOKEN=abc", "--env=GITHUB_TOKEN=[REDACTED]"],
  ["a private key", `a ${"-----BEGIN RSA "}PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- b`, "a [REDACTED] b"],
  ["an unfinished private key", `a ${"-----BEGIN "}PRIVATE KEY-----\nabc`, "a [REDACTED]"],
  ["the user's name in a path", "/home/jane/x, (/Users/joe), file:///home/jane/y and /var/home/joe", "/home/***/x, (/Users/***), file:///home/***/y and /var/home/***"],
];

describe("redactText", () => {
  it.each(secrets)("hides %s", (_what, text, hidden) => {
    expect(redactText(text)).toBe(hidden);
  });

  it.each(["a.b.c", "1.2.3", "https://h/x@y", "git@github.com:o/r", "tokens: 5", "the secret of it", "sk-short", "file.test.ts", "src/home/index.ts and /srv/x/home/y"])("leaves %j alone", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each(["SECRET", "a.", "a-", "eyJ-", "eyJaaaaaaaaa-", "eyJaaaaaaaaa.", "a://", "a://b:", "TOKEN=", "TOKEN ", "Bearer ", "-----BEGIN PRIVATE KEY-----", "x_", "sk-", "/home/"])(
    "takes linear time on a long run of %j",
    (piece) => {
      const time = (size: number): number => {
        const text = piece.repeat(Math.ceil(size / piece.length));
        const started = performance.now();
        redactText(text);
        return performance.now() - started;
      };
      time(10_000);
      expect(time(400_000)).toBeLessThan(2000);
    },
  );
});

describe("redactSecrets", () => {
  it("leaves paths as they are: a person must find the file", () => {
    expect(redactSecrets(`cannot read /home/jane/.multica/config.json with ${"ghp_"}abcdefghijklmnopqrstuvwxyz`)).toBe("cannot read /home/jane/.multica/config.json with [REDACTED]");
  });
});

describe("redactValue", () => {
  it("goes through every string and cuts what is nested too deep", () => {
    const token = `${"ghp_"}abcdefghijklmnopqrstuvwxyz`;
    expect(redactValue({ a: [token, 1, null, true], b: { c: token } })).toEqual({ a: ["[REDACTED]", 1, null, true], b: { c: "[REDACTED]" } });
    let deep: JsonValue = token;
    for (let level = 0; level < 100; level += 1) deep = [deep];
    expect(JSON.stringify(redactValue(deep))).not.toContain(token);
  });
});

function stream(needles: readonly string[], chunks: readonly string[]): string {
  const redactor = new StreamRedactor(needles);
  return chunks.map((chunk) => redactor.push(chunk)).join("") + redactor.end();
}

describe("StreamRedactor", () => {
  it("finds a needle that is cut anywhere", () => {
    for (let at = 0; at <= 12; at += 1) {
      const text = "x hunter22 y";
      expect(stream(["hunter22"], [text.slice(0, at), text.slice(at)])).toBe("x [REDACTED] y");
    }
  });

  it("never lets the rest of a longer needle through because a shorter one was complete first", () => {
    expect(stream(["secret1", "secret1-and-more"], ["a secret1", "-and-more b"])).toBe("a [REDACTED] b");
    expect(stream(["secret1", "secret1-and-more"], ["a secret1", "-and b"])).toBe("a [REDACTED]-and b");
  });

  it("gives the same text wherever the stream was cut, and never a needle", () => {
    const letter = fc.constantFrom("a", "b", "-");
    const word = fc.array(letter, { minLength: 6, maxLength: 9 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), fc.array(fc.oneof(word, letter), { maxLength: 12 }), fc.array(fc.nat({ max: 120 })), (needles, parts, places) => {
        const text = parts.join("");
        const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...at].map((start, index) => text.slice(start, at[index] ?? text.length));
        const result = stream(needles, chunks);
        expect(result).toBe(stream(needles, [text]));
        for (const piece of result.split("[REDACTED]")) for (const needle of needles) expect(piece).not.toContain(needle);
      }),
      { numRuns: 3000 },
    );
  });

  it("passes text through at once when nothing of it can be a needle", () => {
    const redactor = new StreamRedactor(["hunter22"]);
    expect(redactor.push("plain text h")).toBe("plain text ");
    expect(redactor.push("i")).toBe("hi");
  });

  it("knows secrets added on the way, takes them literally, and ignores short ones", () => {
    const redactor = new StreamRedactor(["abc"]);
    expect(redactor.push("abc ")).toBe("abc ");
    redactor.add("$[a].*+?(x)|^\\");
    expect(redactor.push("1 $[a].*+?(x)|^\\ 2")).toBe("1 [REDACTED] 2");
  });
});
