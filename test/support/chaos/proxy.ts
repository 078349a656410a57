import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** A TCP proxy in front of the server that breaks connections in the middle of what they carry. */
export interface CuttingProxy {
  readonly port: number;
  /** Share of connections that are cut, 0…1. */
  share: number;
  readonly cuts: number;
  close(): Promise<void>;
}

export async function cuttingProxy(target: () => number, random: () => number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  const state = { share: 0, cuts: 0 };
  const server = createServer((client) => {
    const upstream = connect(target(), "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => open.delete(socket));
    }
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on("close", end);
    upstream.on("close", end);
    relay(client, upstream, end);
    relay(upstream, client, end);
  });
  const relay = (from: Socket, to: Socket, end: () => void): void => {
    from.on("data", (chunk: Buffer) => {
      if (random() >= state.share) return void to.write(chunk);
      state.cuts += 1;
      // Part of it arrives, or all of it and only the answer never comes.
      to.write(chunk.subarray(0, Math.floor(random() * (chunk.length + 1))), end);
    });
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get share() {
      return state.share;
    },
    set share(value) {
      state.share = value;
    },
    get cuts() {
      return state.cuts;
    },
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
