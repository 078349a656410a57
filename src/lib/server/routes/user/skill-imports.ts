import { skillImportSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { requireOwner, requirePerson } from "../../services/ownership.ts";
import { searchCatalogue } from "../../services/skills/catalogue.ts";
import { conflictRule, importFailure, importInto } from "../../services/skills/import.ts";
import { type SkillOrigin, fetchSkill, originUrl, withOrigin } from "../../services/skills/origin.ts";
import { loadSkill, showSkill, updateSkill } from "../../services/skills/skills.ts";
import { type UnpackedSkill, unpackSkill } from "../../services/skills/unpack.ts";
import { inTransaction } from "../../transaction.ts";

/** Skills from archives and addresses, and the catalogue (server-api.md 13.11). Registered before `/api/skills/:id`. */
export function skillImportRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/skills/search", async (c) => {
    scopeOf(ctx, c);
    const q = (c.req.query("q") ?? "").trim();
    if (q === "") throw badRequest("q parameter is required");
    return json(await searchCatalogue(ctx, q));
  });

  app.post("/api/skills/import", (c) => importSkill(ctx, c));

  app.post("/api/skills/:id/refresh", async (c) => {
    const scope = scopeOf(ctx, c);
    const id = uuidOf(c.req.param("id"), "skill id");
    const owned = () => {
      const skill = loadSkill(ctx.db, scope.workspace.id, id);
      requireOwner(ctx.db, scope, skill.created_by);
      return skill;
    };
    const url = originUrl(owned());
    const { description, content, files } = await fetchSkill(ctx, url);
    // Its name stays: people and other skills call it by that. The rights are asked again: fetching took its time.
    inTransaction(ctx, (tx) => {
      const skill = owned();
      updateSkill(tx, skill, { description, content, files: files.map((file) => ({ ...file })), config: withOrigin(skill.config, { type: "url", url }) });
    });
    return json(showSkill(ctx.db, scope.workspace.id, id));
  });
}

async function importSkill(ctx: ServerContext, c: AppContext): Promise<Response> {
  const scope = scopeOf(ctx, c);
  const isForm = (c.req.header("content-type") ?? "").startsWith("multipart/form-data");
  const given = isForm ? await formInput(c) : await addressInput(c);
  const rule = conflictRule(given.rule);
  requirePerson(ctx.db, scope);
  let answer: { status: number; body: object };
  try {
    const [skill, origin] = await read(ctx, given);
    answer = inTransaction(ctx, (tx) => importInto(tx, scope, skill, origin, rule));
  } catch (error) {
    answer = importFailure(error, rule);
  }
  return json(answer.body, answer.status);
}

type ImportInput = { readonly rule: string | undefined } & ({ readonly file: File } | { readonly url: string });

async function addressInput(c: AppContext): Promise<ImportInput> {
  const { url, on_conflict: rule } = await readBody(c, skillImportSchema);
  if (url.trim() === "") throw badRequest("url is required");
  return { url: url.trim(), rule };
}

async function formInput(c: AppContext): Promise<ImportInput> {
  let form: FormData;
  try {
    form = await c.req.formData();
  } catch (error) {
    throw new HttpError(400, "file too large or invalid multipart form", { cause: error });
  }
  const file = form.get("file");
  const rule = form.get("on_conflict");
  if (!(file instanceof File)) throw badRequest("missing file field: file");
  return { file, rule: typeof rule === "string" ? rule : undefined };
}

async function read(ctx: ServerContext, given: ImportInput): Promise<[UnpackedSkill, SkillOrigin]> {
  if ("url" in given) return [await fetchSkill(ctx, given.url), { type: "url", url: given.url }];
  const name = given.file.name.split(/[\\/]/).at(-1) ?? "";
  return [await unpackSkill(Buffer.from(await given.file.arrayBuffer()), name), { type: "archive", filename: name }];
}
