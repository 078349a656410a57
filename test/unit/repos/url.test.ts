import { describe, expect, it } from "vitest";
import { isMulticaError } from "../../../src/lib/core/index.ts";
import { checkedUrl, maskCredentials } from "../../../src/lib/repos/url.ts";

describe("checkedUrl", () => {
  it.each([
    ["", "empty"],
    ["   ", "empty"],
    ["-oProxyCommand=x", "dash"],
    ["--upload-pack=touch x", "dash"],
    ["ext::sh -c touch% /tmp/x", "helper"],
    ["fd::17", "helper"],
    ["ExT::sh", "helper"],
    ["foo://host/x", "unknown scheme"],
    ["ext://host/x", "unknown scheme"],
    ["https://h/a\nb", "control"],
    ["https://h/a%0ab", "control"],
    ["https://h/a%00b", "control"],
    ["https://h/\u0007", "control"],
    ["ssh://-oProxyCommand=x/y", "host begins"],
    ["ssh://user@-oProxyCommand=x/y", "host begins"],
    ["user@-oX:y", "host begins"],
    [`https://h/${"a".repeat(3000)}`, "longer"],
  ])("refuses %j", (url, why) => {
    try {
      checkedUrl(url);
      expect.unreachable();
    } catch (error) {
      if (!isMulticaError(error, "repo_url_refused")) throw error;
      expect(error.message).toContain(why);
      expect(error.exit).toBe(5);
    }
  });

  it.each(["https://github.com/o/r", "git@github.com:o/r.git", "ssh://git@h:22/x", "file:///srv/x.git", "/srv/git/x.git", "git://h/x"])("accepts %s", (url) => {
    expect(checkedUrl(` ${url} `)).toBe(url);
  });

  it("does not tell the password of a URL it refuses", () => {
    expect(() => checkedUrl("foo://user:hunter22@h/x")).toThrow(/^(?!.*hunter22)/);
  });
});

describe("maskCredentials", () => {
  it.each([
    ["fatal: https://user:secret@h/x not found", "fatal: https://***@h/x not found"],
    ["https://token@h/x", "https://***@h/x"],
    ["https://u:p@ss@h/x and ssh://git@h2/y", "https://***@h/x and ssh://***@h2/y"],
    ["https://h/x@y", "https://h/x@y"],
    ["git@github.com:o/r", "git@github.com:o/r"],
  ])("turns %s into %s", (text, masked) => {
    expect(maskCredentials(text)).toBe(masked);
  });
});
