import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { announced } from "../../support/announced.ts";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { waitFor } from "../../support/wait.ts";
import { uuid } from "../../../src/lib/core/index.ts";

async function upload(server: LiveServer, fields: Record<string, string>, options: { name?: string; bytes?: Uint8Array; type?: string; token?: string; workspace?: boolean } = {}) {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  form.set("file", new Blob([(options.bytes ?? Buffer.from("hello")) as Uint8Array<ArrayBuffer>], { type: options.type ?? "text/plain" }), options.name ?? "notes.txt");
  const response = await fetch(`${server.url}/api/upload-file`, {
    method: "POST",
    headers: { authorization: `Bearer ${options.token ?? server.token}`, ...(options.workspace === false ? {} : { "x-workspace-id": server.workspaceId }) },
    body: form,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function fetchBytes(server: LiveServer, path: string, token = server.token) {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe("attachments", () => {
  it("are uploaded to an issue, listed, downloaded byte for byte, and deleted with their file", async () => {
    const server = await liveServer();
    const I = String((await server.post("/api/issues", { title: "x" }))["id"]);
    const bytes = Buffer.from([0, 255, 1, 2, 10, 13, 200]);
    const made = await upload(server, { issue_id: "LOCA-1" }, { name: "../../etc/pass wd.bin", bytes, type: "application/x-thing" });
    expect(made).toMatchObject({ status: 200, body: { issue_id: I, comment_id: null, filename: "pass wd.bin", size_bytes: 7, content_type: "application/x-thing", uploader_type: "member" } });
    const id = String(made.body["id"]);
    expect(made.body["download_url"]).toBe(`/api/attachments/${id}/download`);
    expect(await server.get(`/api/issues/${I}/attachments`)).toMatchObject([{ id }]);
    expect(await server.get(`/api/issues/${I}`)).toMatchObject({ attachments: [{ id }] });
    const file = await fetchBytes(server, `/api/attachments/${id}/download`);
    expect([file.status, file.bytes.equals(bytes), file.headers.get("content-length")]).toEqual([200, true, "7"]);
    expect(file.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''pass%20wd.bin");
    expect((await fetchBytes(server, `/api/attachments/${id}/content`)).status).toBe(415);
    expect((await server.call("GET", `/api/attachments/${id}`)).body).toMatchObject({ id, size_bytes: 7 });
    expect((await server.call("DELETE", `/api/attachments/${id}`)).status).toBe(204);
    expect(readdirSync(join(server.dataDir, "uploads"))).toEqual([]);
    expect((await fetchBytes(server, `/api/attachments/${id}/download`)).status).toBe(404);
  });

  it("may be large", async () => {
    const server = await liveServer();
    const bytes = Buffer.alloc(24 * 1024 * 1024, "abc");
    const made = await upload(server, {}, { bytes, type: "application/zip" });
    expect(made).toMatchObject({ status: 200, body: { size_bytes: bytes.length } });
    const file = await fetchBytes(server, String(made.body["download_url"]));
    expect(file.bytes.equals(bytes)).toBe(true);
    expect((await fetchBytes(server, `/api/attachments/${String(made.body["id"])}/content`)).status).toBe(413);
  });

  it("belong to the comment or issue they were posted with", async () => {
    const server = await liveServer();
    const I = String((await server.post("/api/issues", { title: "x" }))["id"]);
    const [one, two, three] = [await upload(server, { issue_id: I }), await upload(server, {}), await upload(server, {})].map((made) => String(made.body["id"]));
    const comment = await server.post(`/api/issues/${I}/comments`, { content: "see", attachment_ids: [one] });
    expect(comment["attachments"]).toMatchObject([{ id: one, comment_id: comment["id"] }]);
    expect(await server.get(`/api/issues/${I}/comments`)).toMatchObject([{ attachments: [{ id: one }] }]);
    expect(await server.get(`/api/issues/${I}`)).toMatchObject({ attachments: [] });
    expect(await server.put(`/api/issues/${I}`, { attachment_ids: [two], priority: "low" })).toMatchObject({ attachments: [{ id: two }] });
    expect(await server.post("/api/issues", { title: "y", attachment_ids: [three] })).toMatchObject({ attachments: [{ id: three }] });
    for (const ids of [[one], [uuid()], [three]]) {
      const taken = await server.call("POST", `/api/issues/${I}/comments`, { content: "again", attachment_ids: ids });
      expect([taken.status, taken.body]).toEqual([400, { error: "one or more attachments not found" }]);
    }
    expect(await server.get(`/api/issues/${I}/comments`)).toHaveLength(1);
    expect((await fetchBytes(server, `/api/attachments/${one}/content`)).bytes.toString()).toBe("hello");
  });

  it("go from the disk some time after their issue", async () => {
    const server = await liveServer();
    const I = String((await server.post("/api/issues", { title: "x" }))["id"]);
    const gone = join(server.dataDir, "uploads", String((await upload(server, { issue_id: I })).body["id"]));
    const kept = join(server.dataDir, "uploads", String((await upload(server, {})).body["id"]));
    expect((await server.call("DELETE", `/api/issues/${I}`)).status).toBe(204);
    for (const path of [gone, kept]) utimesSync(path, 0, (server.clock.now() - 3_600_000) / 1000);
    await server.clock.advance(3_600_000);
    await waitFor("the file to go", () => (existsSync(gone) ? undefined : true));
    expect(existsSync(kept)).toBe(true);
  });

  it("let an agent read the workspace's and delete only its own", async () => {
    const server = await liveServer();
    const R = await server.register();
    const I = await server.issue(await server.agent(R));
    const mine = String((await upload(server, { issue_id: I })).body["id"]);
    const [task] = await server.claim([R]);
    const token = task?.auth_token ?? "";
    expect((await fetchBytes(server, `/api/attachments/${mine}/download`, token)).status).toBe(200);
    const refused = await server.call("DELETE", `/api/attachments/${mine}`, undefined, { token });
    expect([refused.status, existsSync(join(server.dataDir, "uploads", mine))]).toEqual([403, true]);
    const own = await upload(server, { issue_id: I }, { token });
    expect(own.body).toMatchObject({ uploader_type: "agent" });
    expect((await server.call("DELETE", `/api/attachments/${String(own.body["id"])}`, undefined, { token })).status).toBe(204);
    expect((await upload(server, { task_id: uuid() }, { token })).body).toEqual({ error: "task_id must match the request's task token" });
    expect(await upload(server, { task_id: task?.id ?? "" }, { token })).toMatchObject({ status: 200 });
    expect((await upload(server, { task_id: task?.id ?? "" })).status).toBe(403);
  });

  it("refuse what is no form, no target or too large, and leave no file behind", async () => {
    const server = await liveServer();
    for (const [fields, error] of [[{ issue_id: uuid() }, "invalid issue_id"], [{ comment_id: uuid() }, "invalid comment_id"], [{ chat_session_id: uuid() }, "invalid chat_session_id"]] as const) {
      expect(await upload(server, fields)).toEqual({ status: 403, body: { error } });
    }
    const headers = { authorization: `Bearer ${server.token}`, "x-workspace-id": server.workspaceId };
    const plain = await fetch(`${server.url}/api/upload-file`, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: "{}" });
    expect([plain.status, await plain.json()]).toEqual([400, { error: "file too large or invalid multipart form" }]);
    const empty = new FormData();
    empty.set("issue_id", "x");
    const missing = await fetch(`${server.url}/api/upload-file`, { method: "POST", headers, body: empty });
    expect([missing.status, await missing.json()]).toEqual([400, { error: "missing file field: file" }]);
    const large = await fetch(`${server.url}/api/issues`, { method: "POST", headers, body: "x".repeat(10 * 1024 * 1024 + 1) });
    expect(large.status).toBe(413);
    expect(await announced(`${server.url}/api/upload-file`, 101 * 1024 * 1024, { authorization: `Bearer ${server.token}`, "content-type": "multipart/form-data; boundary=x" })).toEqual({ status: 400, text: '{"error":"file too large or invalid multipart form"}\n' });
    expect(existsSync(join(server.dataDir, "uploads"))).toBe(false);
    const avatar = await upload(server, {}, { name: "me.png", type: "image/png", workspace: false });
    expect(Object.keys(avatar.body).sort()).toEqual(["filename", "id", "url"]);
    expect((await fetchBytes(server, String(avatar.body["url"]))).headers.get("content-type")).toBe("image/png");
  });
});
