import { request } from "node:http";

/** The answer to a POST that announces this many bytes and sends none of them: what a limit says before anything is read. */
export function announced(url: string, bytes: number, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers: { ...headers, "content-length": String(bytes) } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => {
        sent.destroy();
        resolve({ status: response.statusCode, text });
      });
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}
