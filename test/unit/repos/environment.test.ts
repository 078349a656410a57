import { describe, expect, it } from "vitest";
import { isHostile } from "../../../src/lib/repos/config-guard.ts";
import { gitEnvironment } from "../../../src/lib/repos/environment.ts";

describe("gitEnvironment", () => {
  it("appends the trust entry behind those that are there", () => {
    const { env } = gitEnvironment({ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: "X: y" });
    expect(env).toMatchObject({
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "http.extraHeader",
      GIT_CONFIG_VALUE_0: "X: y",
      GIT_CONFIG_KEY_1: "safe.directory",
      GIT_CONFIG_VALUE_1: "*",
      GIT_TERMINAL_PROMPT: "0",
      LC_ALL: "C",
    });
  });

  it("starts at zero when the count cannot be read", () => {
    expect(gitEnvironment({ GIT_CONFIG_COUNT: "many" }).env).toMatchObject({ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory" });
  });

  it("drops what would lead git to another repository, start programs or tell our secrets", () => {
    const names = "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_PREFIX GIT_TRACE GIT_EDITOR GIT_PAGER EDITOR PAGER LANGUAGE MULTICA_TOKEN NODE_OPTIONS GIT_CONFIG_PARAMETERS";
    const { env } = gitEnvironment(Object.fromEntries(names.split(" ").map((name) => [name, "x"])));
    for (const name of names.split(" ")) expect(env).not.toHaveProperty(name);
  });

  it("keeps the user's way to the remote", () => {
    const source = { HOME: "/h", PATH: "/bin", SSH_AUTH_SOCK: "/s", https_proxy: "p", GIT_SSH_COMMAND: "ssh -i k", GIT_SSL_CAINFO: "c", GIT_ASKPASS: "a", AWS_PROFILE: "x" };
    const made = gitEnvironment(source);
    expect(made.env).toMatchObject(source);
    expect(made.guarded).toEqual(expect.arrayContaining(["GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT"]));
  });

  it("never allows the ext transport", () => {
    expect(gitEnvironment({ GIT_ALLOW_PROTOCOL: "https:ext:ssh" }).env["GIT_ALLOW_PROTOCOL"]).toBe("https:ssh");
  });
});

describe("isHostile", () => {
  it.each([
    "core.sshcommand", "core.SSHCommand", "core.worktree", "credential.helper", "credential.https://h.helper", "filter.x.smudge", "filter.a.b.process",
    "diff.x.textconv", "diff.external", "merge.x.driver", "remote.origin.uploadpack", "remote.x.vcs", "url.ext::sh.insteadof", "protocol.ext.allow",
    "gpg.program", "gpg.ssh.program", "include.path", "includeif.gitdir:/x.path", "http.proxy", "http.https://h.sslverify", "lfs.customtransfer.x.path",
  ])("knows %s", (key) => {
    expect(isHostile({ key, value: "x" })).toBe(true);
  });

  it.each(["core.bare", "remote.origin.url", "remote.origin.fetch", "user.name", "branch.main.remote", "multica.repo", "core.hookspath", "filter.x.required"])(
    "leaves %s alone",
    (key) => {
      expect(isHostile({ key, value: "x" })).toBe(false);
    },
  );

  it("keeps a filter that is exactly that of git lfs", () => {
    expect(isHostile({ key: "filter.lfs.smudge", value: "git-lfs smudge -- %f" })).toBe(false);
    expect(isHostile({ key: "filter.lfs.smudge", value: "git-lfs smudge -- %f; evil" })).toBe(true);
  });
});
