import { type Streams, processStreams } from "./output.ts";

export interface WatchOptions {
  /** The picture of this moment, as text. */
  readonly look: () => Promise<string>;
  /** Waits until the next look; rejects or resolves early when it is over. */
  readonly pause: () => Promise<void>;
  readonly over: () => boolean;
  /** Draw in place; otherwise every change is printed below the last. */
  readonly screen: { rows(): number } | null;
  readonly streams?: Streams;
}

const [HIDE, SHOW, HOME, CLEAR_LINE, CLEAR_BELOW] = ["\u001B[?25l", "\u001B[?25h", "\u001B[H", "\u001B[K", "\u001B[J"];
const [ENTER, LEAVE] = ["\u001B[?1049h", "\u001B[?1049l"];

/** Shows a picture again and again until it is over. On a screen it is drawn in place, on a second page that is left at the end. */
export async function watch({ look, pause, over, screen, streams = processStreams }: WatchOptions): Promise<void> {
  let last: string | undefined;
  if (screen !== null) streams.out(ENTER + HIDE);
  try {
    while (!over()) {
      const picture = await look();
      if (over()) break;
      if (screen !== null) streams.out(drawn(picture, screen.rows()));
      else if (picture !== last) streams.out(picture);
      last = picture;
      await pause();
    }
  } finally {
    if (screen !== null) streams.out(SHOW + LEAVE);
  }
}

/** Every line over its old one, what does not fit left out: nothing flickers. */
function drawn(picture: string, rows: number): string {
  const lines = picture.replace(/\n$/, "").split("\n");
  const shown = lines.length < rows ? lines : [...lines.slice(0, Math.max(1, rows - 2)), `… ${lines.length - rows + 2} more lines`];
  return `${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`;
}
