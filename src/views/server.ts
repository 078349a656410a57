import { pairsText } from "./table.ts";

interface Status {
  readonly state: string;
  readonly data_dir: string;
  readonly pid?: number;
  readonly url?: string;
  readonly started_at?: string;
}

/** `server status`. */
export function serverText(status: Status): string {
  const running = status.pid === undefined ? status.state : `${status.state} (pid ${status.pid})`;
  return pairsText([
    ["Server", running],
    ...(status.url === undefined ? [] : ([["URL", status.url]] as const)),
    ...(status.started_at === undefined ? [] : ([["Started", status.started_at]] as const)),
    ["Data", status.data_dir],
  ]);
}
