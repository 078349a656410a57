/** A skill as it comes with the claim: a main document and supporting files (server-api.md 7.1). */
export interface SkillFact {
  readonly name: string;
  readonly description?: string | undefined;
  /** Text of `SKILL.md`. */
  readonly content: string;
  readonly files?: readonly SkillFile[] | undefined;
}

export interface SkillFile {
  /** Below the skill's directory, separated by `/`. */
  readonly path: string;
  readonly content: string;
}

/** A skill that is on disk. */
export interface PlacedSkill {
  readonly name: string;
  /** Its directory's name; the frontmatter's `name` is the same. */
  readonly slug: string;
  /** False: the skill says that a model is not to call it on its own, so it is not advertised. */
  readonly advertised: boolean;
}
