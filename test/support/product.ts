import { afterEach } from "vitest";
import { ProductHome } from "./product-home.ts";
import { tempDir } from "./temp.ts";

export type { CommandResult } from "./product-home.ts";

/** A product that is torn down when the running test ends, whatever the test did. */
export class Product extends ProductHome {
  constructor(options: { home?: string; profile?: string; env?: Record<string, string> } = {}) {
    super({ ...options, home: options.home ?? tempDir("multica-e2e-") });
    started.push(this);
  }
}

const started: ProductHome[] = [];
afterEach(async () => {
  for (const product of started.splice(0).reverse()) await product.tearDown();
}, 60_000);
