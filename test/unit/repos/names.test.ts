import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareName, branchName, checkoutNames, isPlainBranch, otherBranchNames, workspaceSegment } from "../../../src/lib/repos/names.ts";

describe("bareName", () => {
  it.each([
    ["https://github.com/org/my-repo.git", "github.com+org+my-repo.git"],
    ["git@github.com:org/my-repo", "github.com+org+my-repo.git"],
    ["https://u:p@GitHub.com/org/my-repo/", "github.com+org+my-repo.git"],
    ["git@github.com:foo/bar-baz.git", "github.com+foo+bar-baz.git"],
    ["git@github.com:foo-bar/baz.git", "github.com+foo-bar+baz.git"],
    ["ssh://git@gitlab.example.com:22/g/s/r.git", "gitlab.example.com%3A22+g+s+r.git"],
    ["git@gitlab.example.com-22:org/repo.git", "gitlab.example.com-22+org+repo.git"],
    ["my-repo", "my-repo.git"],
    ["/srv/git/x.git", "srv+git+x.git"],
    ["file:///srv/git/x.git", "file+srv+git+x.git"],
    ["/srv/a:b/x.git", "srv+a:b+x.git"],
    ["/../../x:y", "..+..+x:y.git"],
    ["https://h/Org/Api?x=1#y", "h+Org+Api.git"],
    ["///", "repo.git"],
  ])("of %s is %s", (url, name) => {
    expect(bareName(url)).toBe(name);
  });

  it("is always one path segment of bounded length", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.array(fc.constantFrom("..", ".", "a", "@", ":", "/", "%2F", "%00", "ü"), { maxLength: 90 }).map((parts) => parts.join(""))), (url) => {
        const name = bareName(url);
        expect(name).not.toContain("/");
        expect([".", "..", ""]).not.toContain(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(240);
      }),
    );
  });

  it("tells long names apart that begin alike", () => {
    const long = "a".repeat(300);
    expect(bareName(`https://h/${long}/x`)).not.toBe(bareName(`https://h/${long}/y`));
  });
});

describe("checkoutNames", () => {
  it.each([
    ["https://h/org/my-repo.git", "my-repo"],
    ["https://h/org/my-repo/", "my-repo"],
    ["git@h:org/my-repo", "my-repo"],
    ["git@h:api", "api"],
    ["", "repo"],
  ])("of %j begins with %s", (url, plain) => {
    expect(checkoutNames(url).plain).toBe(plain);
  });

  it.each(["https://h/x/..", "https://h/x/.", "https://h/x/.git.git", "https://h/o/.Claude", "https://h/o/AGENTS.md", "https://h/o/skills"])(
    "never uses %s as a directory",
    (url) => {
      expect(checkoutNames(url).plain).toMatch(/^repo-[0-9a-f]{8}$/);
    },
  );

  it("has a second name that differs for each repository of one name", () => {
    expect(checkoutNames("https://h/a/api").distinct).toMatch(/^api-[0-9a-f]{8}$/);
    expect(checkoutNames("https://h/a/api").distinct).not.toBe(checkoutNames("https://h/b/api").distinct);
  });
});

describe("branch names", () => {
  it.each([
    ["  My Agent!! ", "my-agent"],
    ["a".repeat(40), "a".repeat(30)],
    [`${"a".repeat(29)}-bbbb`, "a".repeat(29)],
    ["###", "agent"],
  ])("turn the agent %j into %s", (agent, segment) => {
    expect(branchName(agent, "01931a2b-0000-7000-8000-0000000000aa")).toBe(`agent/${segment}/0000000000aa`);
  });

  it("differ for two tasks of one minute", () => {
    expect(branchName("a", "01931a2b-0000-7000-8000-0000000000aa")).not.toBe(branchName("a", "01931a2b-0000-7000-8000-0000000000ab"));
  });

  it("have substitutes for a taken name and a taken prefix", () => {
    expect(otherBranchNames("agent/a/k", 1_700_000_000_999)).toEqual(["agent/a/k-1700000000", "agent/a/k-1700000000-2", "agent/a/k-1700000000-3"]);
    expect(otherBranchNames("agent/a/k", 0, true)[0]).toBe("agent-a/k");
  });

  it.each(["-x", "a..b", "a//b", "a/.b", "a.lock", "a.lock/b", "a@{1}", "a b", "a\nb", "a:b", "/a", "a/", "a.", "", "a~1", "a^"])("refuse %j", (name) => {
    expect(isPlainBranch(name)).toBe(false);
  });

  it.each(["main", "agent/x/0123", "feature/own-thing_2", "release-1.2", "user@thing"])("accept %j", (name) => {
    expect(isPlainBranch(name)).toBe(true);
  });
});

describe("workspaceSegment", () => {
  it.each(["..", ".", "", "a/b", "a\0", ".hidden", "x".repeat(200)])("refuses %j", (id) => {
    expect(() => workspaceSegment(id)).toThrow("not a workspace id");
  });
});
