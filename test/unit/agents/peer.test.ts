import { describe, expect, it } from "vitest";
import {
  createPeer,
  parseRpcFrame,
  rpcErrorText,
  rpcForget,
  rpcNotification,
  rpcReceive,
  rpcRefusal,
  rpcReply,
  rpcRequest,
} from "../../../src/lib/agents/jsonrpc/peer.ts";

describe("JSON-RPC peer", () => {
  it("counts its requests from where it was told, and matches answers by id in any order", () => {
    const first = rpcRequest(createPeer(0), "a", { x: 1 });
    const second = rpcRequest(first.peer, "b", undefined);
    expect(JSON.parse(first.line)).toEqual({ jsonrpc: "2.0", id: 0, method: "a", params: { x: 1 } });
    expect(JSON.parse(second.line)).toEqual({ jsonrpc: "2.0", id: 1, method: "b" });
    const late = rpcReceive(second.peer, '{"id":1,"result":null}');
    expect(late.incoming).toEqual({ type: "response", id: 1, method: "b", outcome: { ok: true, result: null } });
    const early = rpcReceive(late.peer, '{"id":0,"error":{"code":-5,"message":"no","data":{"why":1}}}');
    expect(early.incoming).toMatchObject({ method: "a", outcome: { ok: false, error: { code: -5, message: "no", data: { why: 1 } } } });
    expect(early.peer.pending).toEqual({});
  });

  it("skips an answer it does not wait for: unknown, given already, or forgotten", () => {
    const { peer } = rpcRequest(createPeer(1), "a", {});
    expect(rpcReceive(peer, '{"id":7,"result":1}').incoming).toBeNull();
    const answered = rpcReceive(peer, '{"id":1,"result":1}').peer;
    expect(rpcReceive(answered, '{"id":1,"result":1}').incoming).toBeNull();
    expect(rpcReceive(rpcForget(peer, 1), '{"id":1,"result":1}').incoming).toBeNull();
    expect(rpcReceive(peer, '{"id":"1","result":1}').incoming).toBeNull();
  });

  it("takes id 0 for an id", () => {
    expect(rpcReceive(createPeer(1), '{"id":0,"method":"ask","params":{}}').incoming).toEqual({ type: "request", id: 0, method: "ask", params: {} });
    expect(JSON.parse(rpcReply(0, {}))).toEqual({ jsonrpc: "2.0", id: 0, result: {} });
    expect(JSON.parse(rpcRefusal("x", -32601, "no"))).toEqual({ jsonrpc: "2.0", id: "x", error: { code: -32601, message: "no" } });
  });

  it.each(["", "  ", "hello", "[1]", "{", '{"id":1}', '{"result":1}', '"x"', "null"])("skips %j", (line) => {
    expect(parseRpcFrame(line)).toBeNull();
  });

  it("leaves params out of a notification that has none", () => {
    expect(rpcNotification("initialized")).toBe('{"jsonrpc":"2.0","method":"initialized"}');
  });

  it("renders an error with its code, and its data where wanted", () => {
    expect(rpcErrorText("m", { code: -1, message: "bad", data: "x" })).toBe("m: bad (code=-1)");
    expect(rpcErrorText("m", { code: -1, message: "bad", data: { a: 1 } }, true)).toBe('m: bad (code=-1, data={"a":1})');
  });

  it("does not change the peer it was given", () => {
    const peer = createPeer(1);
    rpcRequest(peer, "a", {});
    expect(peer).toEqual({ nextId: 1, pending: {} });
  });
});
