import type { Server } from "node:http";
import type { Socket } from "node:net";

export interface Connections {
  /** From now on a connection lives as long as the request on it: the others end at once, those when they have answered. */
  closeIdle(): void;
}

/**
 * Knows which connections have a request on them. Node closes idle ones at shutdown, but one that has not sent a whole
 * request yet counts as busy there, and a client that only keeps a spare connection would hold the server up.
 */
export function trackConnections(http: Server): Connections {
  const idle = new Set<Socket>();
  const answering = new Map<Socket, number>();
  let closing = false;
  http.on("connection", (socket: Socket) => {
    if (closing) return void socket.destroy();
    idle.add(socket);
    socket.once("close", () => idle.delete(socket));
  });
  http.on("upgrade", (_request, socket: Socket) => idle.delete(socket));
  http.on("request", (request, response) => {
    const { socket } = request;
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    idle.delete(socket);
    response.once("close", () => {
      const left = (answering.get(socket) ?? 1) - 1;
      if (left > 0) return void answering.set(socket, left);
      answering.delete(socket);
      if (socket.destroyed) return;
      if (closing) socket.destroySoon();
      else idle.add(socket);
    });
  });
  return {
    closeIdle: () => {
      closing = true;
      for (const socket of idle) socket.destroy();
    },
  };
}
