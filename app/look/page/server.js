// The server that the page came from, where one did: what it is asked, and the key that it may want.
"use strict";

look.server = window.lookServer === "serve" ? { key: null } : null;

look.ServerError = class extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
};

// The answer to a path below this page's own origin; with a body it is posted. Throws ServerError with the server's own
// words; what was aborted throws as fetch does.
look.request = async function (path, body, signal) {
  for (;;) {
    const { key } = look.server, headers = { ...(body && { "Content-Type": "application/json" }), ...(key && { Authorization: "Bearer " + key }) };
    let response;
    try {
      response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal, cache: "no-store", credentials: "omit", redirect: "error" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new look.ServerError("The server does not answer.", 0);
    }
    if (response.ok) return response;
    const answer = await response.json().catch(() => null);
    const message = answer && answer.error ? answer.error.message : `The server answers ${response.status}.`;
    if (response.status !== 401) throw new look.ServerError(message, response.status);
    if (key === look.server.key) await look.askKey(message);  // else it was given meanwhile
  }
};

// Its JSON. Where another page has its turn (429), it is asked again for a while; `wait` is called before.
look.ask = async function (path, body, { signal, wait } = {}) {
  for (let tries = 0; ; ++tries) {
    try {
      return await (await look.request(path, body, signal)).json();
    } catch (error) {
      if (error.status !== 429 || tries === 20) throw error;
      if (wait) wait(error.message);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

// The key is kept for as long as the page is open, and nowhere else. All who wait for it wait for the same dialog.
look.askKey = function (message) {
  const dialog = document.getElementById("key"), e = look.element;
  if (look.server.asked) return look.server.asked;
  look.server.asked = new Promise((resolve, reject) => {
    const field = e("input", { type: "password", id: "key-field", autocomplete: "off", spellcheck: "false" });
    const wrong = e("p", { class: "problem", "aria-live": "polite" }, look.server.key ? message : "");
    const give = () => {
      const key = field.value.trim();
      if (!/^[\x21-\x7e]+$/.test(key)) { wrong.textContent = "A key has letters, digits and signs of ASCII."; return; }
      look.server.key = key;
      dialog.close("given");
    };
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") give(); });
    look.replace(dialog, e("header", {}, e("h2", { id: "key-title" }, "This server asks for its API key")),
      e("p", {}, "It is kept while this page is open, and written nowhere."),
      e("p", { class: "control" }, e("label", { for: "key-field" }, "API key"), field, look.button("Use it", give)), wrong);
    dialog.onclose = () => {
      look.server.asked = null;
      if (dialog.returnValue === "given") resolve();
      else reject(new look.ServerError("Without its API key this server shows nothing. Reload the page to give it.", 401));
      dialog.returnValue = "";
    };
    dialog.showModal();
    field.focus();
  });
  return look.server.asked;
};
