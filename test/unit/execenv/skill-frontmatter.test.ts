// execenv.md 18, case 38.
import { describe, expect, it } from "vitest";
import { withSkillName } from "../../../src/lib/execenv/skills/frontmatter.ts";

const rename = (content: string, description?: string): string => withSkillName(content, "slug", description).text;

describe("the name in a skill's frontmatter", () => {
  it.each([
    ["a plain name", "---\nname: Old\ndescription: d\n---\nbody\n", "---\nname: slug\ndescription: d\n---\nbody\n"],
    ["a quoted name with a comment", '---\nname: "Old: x" # why\na: 1\n---\n', "---\nname: slug # why\na: 1\n---\n"],
    ["a quoted key", "---\n\"name\": Old\n'a': 1\n---\n", "---\nname: slug\n'a': 1\n---\n"],
    ["an empty name", "---\nname:\na: 1\n---\n", "---\nname: slug\na: 1\n---\n"],
    ["Windows line ends", "---\r\nname: Old\r\na: 1\r\n---\r\nbody\r\n", "---\r\nname: slug\r\na: 1\r\n---\r\nbody\r\n"],
    ["a wrapped quoted name", '---\nname: "Old\n  and long"\na: 1\n---\n', "---\nname: slug\na: 1\n---\n"],
    ["a folded name", "---\nname: >-\n  Old\n  and long\na: 1\n---\n", "---\nname: slug\na: 1\n---\n"],
    ["values that wrap around", "---\ndescription: |\n  name: not me\n\n  more\nname: Old\nlist:\n- name: nor me\n---\n", "---\ndescription: |\n  name: not me\n\n  more\nname: slug\nlist:\n- name: nor me\n---\n"],
    ["flow values", "---\nname: Old\ntools: [a, {b: c},\n  d]\n---\n", "---\nname: slug\ntools: [a, {b: c},\n  d]\n---\n"],
    ["comments and blank lines", "---\n# head\nname: Old\n\n# tail\na: 1\n---\n", "---\n# head\nname: slug\n\n# tail\na: 1\n---\n"],
    ["an end without a line end", "---\nname: Old\n---", "---\nname: slug\n---"],
    ["an anchor whose alias keeps the old value", "---\nname: &n Old\nalso: *n\n---\n", '---\nname: slug\nalso: "Old"\n---\n'],
  ])("is replaced, and nothing else: %s", (_what, before, after) => expect(rename(before)).toBe(after));

  it("goes first where there is none at the top level", () => {
    expect(rename("---\nmeta:\n  name: inner\n---\nbody")).toBe("---\nname: slug\nmeta:\n  name: inner\n---\nbody");
    expect(rename("---\n---\nbody")).toBe("---\nname: slug\n---\nbody");
    expect(rename("---\nfree: text: here\n---\nbody")).toBe("---\nname: slug\nfree: text: here\n---\nbody");
  });

  it("is made with the stored description where there is no block", () => {
    expect(rename("# Title\n", 'say "hi"\nand \\ go')).toBe('---\nname: slug\ndescription: "say \\"hi\\" and \\\\ go"\n---\n\n# Title\n');
    expect(rename("# Title\n", "  ")).toBe("---\nname: slug\n---\n\n# Title\n");
    expect(rename("----\nname: x\n----\n")).toBe("---\nname: slug\n---\n\n----\nname: x\n----\n");
    expect(rename("---\nname: never closed\n")).toBe("---\nname: slug\n---\n\n---\nname: never closed\n");
  });

  it.each([
    ["a colon in a plain value", "name: Old\ndescription: use when: always"],
    ["a quote that never ends", 'name: Old\ndescription: "open'],
    ["a bracket that never ends", "name: Old\ntools: [a, b"],
    ["a line that is no key", "name: Old\njust text"],
    ["two names", "name: Old\nname: Older"],
  ])("replaces a block that is no YAML, and keeps the body: %s", (_what, block) => {
    expect(rename(`---\n${block}\n---\nbody\n`, "stored")).toBe('---\nname: slug\ndescription: "stored"\n---\nbody\n');
  });

  it("lets a skill that a model may not call stay so", () => {
    for (const value of ["true", '"true"', "'True'", "true # yes"]) {
      expect(withSkillName(`---\nname: x\ndisable-model-invocation: ${value}\n---\n`, "s", undefined).advertised).toBe(false);
    }
    expect(withSkillName("---\nname: x\ndisable-model-invocation: false\n---\n", "s", undefined).advertised).toBe(true);
    const broken = withSkillName("---\nname: x\ndisable-model-invocation: true\ndescription: a: b\n---\nbody", "s", "d");
    expect(broken).toEqual({ text: '---\nname: s\ndescription: "d"\ndisable-model-invocation: true\n---\nbody', advertised: false });
  });
});
