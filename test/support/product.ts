import { atEnd } from "./at-end.ts";
import { ProductHome } from "./product-home.ts";
import { tempDir } from "./temp.ts";

export type { CommandResult } from "./product-home.ts";

/** A product that is torn down when the running test ends, whatever the test did; inside `keep`, when the file ends. */
export class Product extends ProductHome {
  constructor(options: { home?: string; profile?: string; env?: Record<string, string> } = {}) {
    super({ ...options, home: options.home ?? tempDir("multica-e2e-") });
    atEnd(() => this.tearDown());
  }
}
