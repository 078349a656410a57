import { describe, expect, it } from "vitest";
import { skillManifest, skillSource } from "../../../src/lib/core/index.ts";

const deploy = { source: "workspace", id: "skill-1", name: "deploy", description: "", content: "main" };

describe("skillManifest", () => {
  it("gives the published hashes, whatever the order of the files", () => {
    const files = [{ path: "b.md", content: "b" }, { path: "a.md", content: "a" }];
    const manifest = skillManifest({ ...deploy, files });
    expect(manifest.hash).toBe("sha256:33e66181e0c3f20ddd25e788217aa60776a46852beebe562ef6621b543e84fd4");
    expect(manifest.sizeBytes).toBe(6);
    expect(manifest.files.map((file) => file.path)).toEqual(["a.md", "b.md"]);
    expect(skillManifest({ ...deploy, files: files.toReversed() })).toEqual(manifest);
    const bare = skillManifest({ ...deploy, files: [] });
    expect([bare.hash, bare.sizeBytes]).toEqual(["sha256:b83948ff81671da9ad2125bf2aa6adb5dcb2dbda53affbdff848130c30eeec19", 4]);
  });

  it("counts bytes, not characters", () => {
    const manifest = skillManifest({
      source: "builtin",
      id: "builtin:multica-demo",
      name: "multica-demo",
      description: "Démo",
      content: "# Hi\n",
      files: [{ path: "references/é.md", content: "ok" }],
    });
    expect(manifest.hash).toBe("sha256:b9bbf63af10425fdf1f4f8be58d393ea74a601fd51458e77b7962547604a22e8");
    expect(manifest.sizeBytes).toBe(7);
    expect(manifest.files[0]?.sha256).toBe("sha256:2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df");
  });

  it("changes with any part", () => {
    const base = skillManifest({ ...deploy, files: [] }).hash;
    for (const change of [{ id: "x" }, { name: "x" }, { description: "x" }, { content: "main " }, { source: "plugin" }, { files: [{ path: "a", content: "" }] }]) {
      expect(skillManifest({ ...deploy, files: [], ...change }).hash).not.toBe(base);
    }
  });

  it("takes a skill without a source for a workspace skill when it has an id", () => {
    expect([skillSource("", "x"), skillSource(null, ""), skillSource("plugin", "")]).toEqual(["workspace", "builtin", "plugin"]);
  });
});
