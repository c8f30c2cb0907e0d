// Where the page's data comes from: what is embedded in data.js, or the server that the page itself came from. Both have
// the same methods, which all give promises.
"use strict";

look.EmbeddedSource = class {
  constructor(data) {
    this.data = data;
    this.live = false;
  }
  async page() {
    return this.data;
  }
};

// look/page: the whole of data.js for a text; look/next: {"next", "pieces"} behind any tokens.
look.ServerSource = class {
  constructor() {
    this.live = true;
  }
  async ask(path, question) {
    const answer = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.error ? data.error.message : answer.statusText);
    return data;
  }
  page(text) {
    return this.ask("look/page", text === undefined ? {} : { text });
  }
  next(tokens) {
    return this.ask("look/next", { tokens });
  }
};
