import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeZip } from "../../../src/cli/zip.ts";
import { HeldClock, openDatabase } from "../../../src/lib/platform/index.ts";
import { fetchBytes } from "../../../src/lib/server/services/skills/fetch.ts";
import { archiveAddress } from "../../../src/lib/server/services/skills/origin.ts";
import { announced } from "../../support/announced.ts";
import { type LiveServer, liveServer } from "../../support/live-server.ts";

const HEAD = "---\nname: deploy\ndescription: How we deploy\n---\n# Deploy\n";

type File = { readonly path: string; readonly content: string };
const zip = (...files: File[]): Buffer => writeZip(files);
const deploy = (...more: File[]): Buffer => zip({ path: "deploy/SKILL.md", content: HEAD }, ...more);

async function upload(server: LiveServer, bytes: Buffer, rule?: string, options: { name?: string; token?: string } = {}) {
  const form = new FormData();
  form.set("file", new File([new Uint8Array(bytes)], options.name ?? "x.zip"));
  if (rule !== undefined) form.set("on_conflict", rule);
  const headers = { authorization: `Bearer ${options.token ?? server.token}`, "x-workspace-id": server.workspaceId };
  const response = await fetch(`${server.url}/api/skills/import`, { method: "POST", body: form, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { skill: Record<string, unknown> } };
}

/** A web server whose pages the test changes; `null` is a redirect to `/deploy.zip`. */
async function web(pages: Map<string, Buffer | string | null>) {
  const server = createServer((request, response) => {
    const page = pages.get(request.url ?? "");
    if (page === null) response.writeHead(302, { location: "/deploy.zip" }).end();
    else response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a skill in an archive", () => {
  it("is made of its directory; what is no text, hidden or a licence stays out", async () => {
    const server = await liveServer();
    const more = [{ path: "deploy/scripts/run.sh", content: "x" }, { path: "deploy/.git/config", content: "x" }, { path: "deploy/LICENSE", content: "x" }, { path: "deploy/bin", content: "\0" }, { path: "other/note.md", content: "x" }];
    const made = await upload(server, deploy(...more), "fail");
    expect(made).toMatchObject({ status: 201, body: { status: "created", skipped: ["bin"], skill: { name: "deploy", description: "How we deploy", content: HEAD, config: { origin: { type: "archive", filename: "x.zip" } } } } });
    expect(made.body.skill["files"]).toMatchObject([{ path: "scripts/run.sh", content: "x" }]);
    // Without a rule the answer is the older one: the skill itself. A lone document is named by its head, else by its file.
    expect(await upload(server, Buffer.from("# Plain\n"), undefined, { name: "plain.md" })).toMatchObject({ status: 201, body: { name: "plain", content: "# Plain\n" } });
    expect((await upload(server, zip({ path: "./SKILL.md", content: "x" }), "fail", { name: "flat.zip" })).body.skill).toMatchObject({ name: "flat" });
  });

  it("meets its name: fails, replaces, keeps both or leaves it, as it is told", async () => {
    const server = await liveServer();
    const first = await upload(server, deploy({ path: "deploy/old.md", content: "x" }));
    const id = String(first.body["id"]);
    const again = (rule?: string) => upload(server, deploy({ path: "deploy/new.md", content: "y" }), rule);
    expect(await again()).toEqual({ status: 409, body: { error: "a skill with this name already exists" } });
    expect(await again("fail")).toMatchObject({ status: 409, body: { status: "conflict", existing_skill: { id, name: "deploy", can_overwrite: true } } });
    expect(await again("skip")).toMatchObject({ status: 200, body: { status: "skipped", existing_skill: { id } } });
    expect(await again("rename")).toMatchObject({ status: 201, body: { status: "created", skill: { name: "deploy-2" } } });
    expect((await again("rename")).body.skill).toMatchObject({ name: "deploy-3" });
    expect(await again("overwrite")).toMatchObject({ status: 200, body: { status: "updated", skill: { id, name: "deploy", files: [{ path: "new.md" }] } } });
    expect(await again("maybe")).toMatchObject({ status: 400, body: { error: 'invalid on_conflict "maybe"; valid values: fail, overwrite, rename, skip' } });

    const runtime = await server.register();
    await server.issue(await server.agent(runtime));
    const [task] = await server.claim([runtime]);
    const token = { token: task?.auth_token ?? "" };
    expect((await upload(server, deploy(), "overwrite", token)).status).toBe(200);
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("UPDATE skill SET created_by = NULL");
    db.close();
    expect(await upload(server, deploy(), "overwrite", token)).toMatchObject({ status: 403, body: { status: "failed", reason: "insufficient permissions", existing_skill: { id, can_overwrite: false } } });
    expect(await upload(server, deploy(), "fail", token)).toMatchObject({ body: { existing_skill: { can_overwrite: false } } });
  });

  it("is refused whole when it leads out, is none, is several or is too much", async () => {
    const server = await liveServer();
    const big = "x".repeat(1024 * 1024);
    for (const [bytes, reason] of [
      ...["deploy/../../etc/x", "/etc/x", "C:/x", "deploy\\x", "deploy//x"].map((path) => [deploy({ path, content: "" }), "invalid file path in the archive"] as const),
      [zip({ path: "a/README.md", content: "" }), "there is no SKILL.md in it"],
      [zip({ path: "a/SKILL.md", content: "" }, { path: "b/SKILL.md", content: "" }), "there are several skills in it"],
      [zip({ path: "a/SKILL.md", content: "\0" }), "SKILL.md is not a text"],
      [deploy(...Array.from({ length: 257 }, (_, at) => ({ path: `deploy/${at}`, content: "" }))), "more than 256 files"],
      [deploy(...Array.from({ length: 9 }, (_, at) => ({ path: `deploy/${at}`, content: big }))), "more than 8 MiB in all"],
      [deploy().subarray(0, -5), "it is not a whole ZIP archive"],
      [gzipSync("x"), "it holds no tar archive"],
      [Buffer.from("\n<!DOCTYPE html><p>"), "it is a web page"],
      [Buffer.from([1, 0, 2]), "neither a ZIP or tar archive nor a text"],
    ] as const) {
      const answer = await upload(server, bytes, "fail");
      expect([answer.status, answer.body["status"], answer.body["reason"]]).toEqual([400, "failed", expect.stringContaining(reason)]);
    }
    expect(await server.get("/api/skills")).toEqual([]);
    const headers = { authorization: `Bearer ${server.token}`, "x-workspace-id": server.workspaceId, "content-type": "multipart/form-data; boundary=x" };
    expect(await announced(`${server.url}/api/skills/import`, 11 << 20, headers)).toMatchObject({ status: 413 });
  });
});

describe("a skill behind an address", () => {
  it("is fetched, and fetched again by a refresh that keeps its name and its other settings", async () => {
    const server = await liveServer();
    const pages = new Map<string, Buffer | string | null>([["/deploy.zip", deploy({ path: "deploy/a.md", content: "1" })], ["/moved", null]]);
    const base = await web(pages);
    const made = await server.post<{ skill: { id: string } }>("/api/skills/import", { url: `${base}/moved`, on_conflict: "fail" });
    expect(made).toMatchObject({ status: "created", skill: { name: "deploy", files: [{ path: "a.md", content: "1" }] } });
    const path = `/api/skills/${made.skill.id}`;
    await server.put(path, { name: "mine", config: { a: 1, origin: { type: "url", url: `${base}/moved` } } });
    pages.set("/deploy.zip", deploy({ path: "deploy/b.md", content: "2" }));
    expect(await server.post(`${path}/refresh`)).toMatchObject({ name: "mine", description: "How we deploy", config: { a: 1, origin: { type: "url", url: `${base}/moved` } }, files: [{ path: "b.md" }] });
    pages.set("/deploy.zip", "no archive \0");
    expect((await server.call("POST", `${path}/refresh`)).status).toBe(400);
    pages.delete("/deploy.zip");
    expect((await server.call("POST", `${path}/refresh`)).status).toBe(502);
    expect(await server.get(path)).toMatchObject({ files: [{ path: "b.md" }] });
    const plain = String((await server.post("/api/skills", { name: "plain" }))["id"]);
    expect((await server.call("POST", `/api/skills/${plain}/refresh`)).body).toEqual({ error: "the skill was not imported from an address" });
  });

  it("is refused with a reason when it cannot be had", async () => {
    const server = await liveServer();
    const base = await web(new Map([["/loop", null], ["/deploy.zip", null]]));
    for (const [url, status, reason] of [
      [`${base}/gone`, 422, "answered with status 404"],
      [`${base}/loop`, 422, "redirects without end"],
      ["http://127.0.0.1:1/x", 422, "cannot be reached"],
      ["file:///etc/passwd", 400, "must be an http or https address"],
      ["http://a:b@127.0.0.1/x", 400, "must not carry credentials"],
    ] as const) {
      const answer = await server.call("POST", "/api/skills/import", { url, on_conflict: "fail" });
      expect([answer.status, answer.body["status"], answer.body["reason"]]).toEqual([status, "failed", expect.stringContaining(reason)]);
    }
    expect((await server.call("POST", "/api/skills/import", {})).body).toEqual({ error: "url is required" });
    expect((await server.call("POST", "/api/skills/import", { url: `${base}/gone` })).status).toBe(502);
  });

  it("is not looked for in the network of a server that others can reach", async () => {
    const base = await web(new Map([["/x", "page"]]));
    const clock = new HeldClock();
    expect((await fetchBytes({ clock, local: true }, `${base}/x`, 10)).toString()).toBe("page");
    await expect(fetchBytes({ clock, local: true }, `${base}/x`, 3)).rejects.toMatchObject({ status: 413 });
    const inside = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "2130706433"];
    for (const host of inside) {
      const refused = fetchBytes({ clock, local: false }, `http://${host}:${new URL(base).port}/x`, 10);
      await expect(refused, host).rejects.toMatchObject({ status: 400, message: "url leads into the server's own network" });
    }
  });

  it("is a folder of a repository on GitHub", () => {
    const archive = "https://codeload.github.com/o/r/zip";
    expect(archiveAddress("https://github.com/o/r/tree/v1/skills/deploy")).toEqual({ url: `${archive}/v1`, folder: "skills/deploy", name: "deploy" });
    expect(archiveAddress("https://github.com/o/r/blob/main/deploy/SKILL.md")).toEqual({ url: `${archive}/main`, folder: "deploy", name: "deploy" });
    expect(archiveAddress("https://github.com/o/r.git")).toEqual({ url: `${archive}/HEAD`, folder: "", name: "r" });
    expect(archiveAddress("https://github.com/o/r/releases/x.zip")).toEqual({ url: "https://github.com/o/r/releases/x.zip", folder: "", name: "x.zip" });
  });
});

describe("the catalogue", () => {
  it("is searched by words, names first; without one the answer is 502", async () => {
    const entry = (name: string, description: string) => ({ name, description, url: `https://example.test/${name}`, source: "test", extra: 1 });
    const base = await web(new Map([["/list.json", JSON.stringify([entry("notes", "Write a Deploy note"), { bad: true }, entry("deploy", "Ship it")])], ["/text", "x"]]));
    const server = await liveServer({ skillCatalogue: `${base}/list.json` });
    const found = await server.get<{ name: string }[]>("/api/skills/search?q=DEPLOY");
    expect(found).toEqual([entry("deploy", "Ship it"), entry("notes", "Write a Deploy note")].map(({ extra: _, ...one }) => ({ ...one, repo: null, install_count: null, github_stars: null })));
    expect(await server.get("/api/skills/search?q=note%20write")).toMatchObject([{ name: "notes" }]);
    expect(await server.get("/api/skills/search?q=nothing")).toEqual([]);
    expect((await server.call("GET", "/api/skills/search?q=")).body).toEqual({ error: "q parameter is required" });
    for (const skillCatalogue of [undefined, `${base}/text`, `${base}/gone`]) {
      const other = await liveServer(skillCatalogue === undefined ? {} : { skillCatalogue });
      expect((await other.call("GET", "/api/skills/search?q=x")).status).toBe(502);
    }
  });
});
