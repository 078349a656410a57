interface LoginForm {
  readonly callback: string;
  readonly state: string;
  readonly expires: string;
  readonly seal: string;
  /** True asks for a personal access token instead of trusting whoever reaches the page. */
  readonly askToken: boolean;
}

/** The page that asks whether the CLI behind `callback` may sign in. */
export function loginForm(form: LoginForm): string {
  const token = form.askToken
    ? `<p><label>Token (<code>multica server token create</code>)<br><input type="password" name="token" autocomplete="off" required></label></p>`
    : "";
  return shell(
    "Sign in",
    `<p>A command line program on <code>${escape(new URL(form.callback).host)}</code> asks to sign in to this Multica server.</p>
<form method="post" action="/login">
${hidden("cli_callback", form.callback)}${hidden("cli_state", form.state)}${hidden("expires", form.expires)}${hidden("seal", form.seal)}
${token}<p><button type="submit">Sign in</button></p>
</form>`,
  );
}

/** A page with a title and one sentence. */
export function messagePage(title: string, text: string): string {
  return shell(title, `<p>${escape(text)}</p>`);
}

function shell(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)} · Multica</title>
<style>body{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style>
</head><body><h1>${escape(title)}</h1>
${body}
</body></html>
`;
}

function hidden(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${escape(value)}">`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
