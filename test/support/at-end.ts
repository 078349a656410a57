import { onTestFinished } from "vitest";

type End = () => unknown;

let keeping: End[] | null = null;
const kept: End[] = [];

/** Registers what is to be cleaned up when the running test ends; what is built inside `keep` lasts for the whole file. */
export function atEnd(end: End): void {
  if (keeping === null) onTestFinished(async () => void (await end()));
  else keeping.push(end);
}

/** For `beforeAll`: builds something that all tests of the file use. `releaseKept` in `afterAll` takes it down. */
export async function keep<T>(build: () => T | Promise<T>): Promise<T> {
  keeping = [];
  try {
    return await build();
  } finally {
    kept.push(...keeping);
    keeping = null;
  }
}

/** Takes down what `keep` has built, the last first. */
export async function releaseKept(): Promise<void> {
  for (const end of kept.splice(0).reverse()) await end();
}
