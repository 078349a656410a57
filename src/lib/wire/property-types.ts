// Answers that commands only print: types without schemas, nothing is parsed by them.

/** One choice of a select property. An alias, so that it fits the loose objects of the schemas. */
export type PropertyOption = {
  readonly id: string;
  readonly name: string;
  readonly color: string;
};

/** server-api.md 13.4. */
export interface Property {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly description?: string | null;
  readonly icon?: string | null;
  readonly config?: { readonly options?: readonly PropertyOption[] | null } | null;
  readonly archived?: boolean;
  readonly usage_count?: number | null;
}
