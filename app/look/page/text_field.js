// The text that the model reads, to be typed: its tokens come as one types, its pass when it is asked for.
"use strict";

look.TextField = class {
  // `model`: what the server says of itself; showTokens(data): as one types.
  constructor(section, model, showTokens) {
    const e = look.element;
    this.model = model;
    this.showTokens = showTokens;
    this.field = e("textarea", {
      id: "text", rows: 3, spellcheck: "false", autocomplete: "off", on: {
        input: () => this.later(),
        keydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.look(); } },
      },
    });
    this.button = look.button("Look inside", () => this.look(), { title: "Ctrl+Enter", "aria-keyshortcuts": "Control+Enter" });
    this.status = e("p", { class: "dim status", "aria-live": "polite" });
    look.replace(section, e("label", { for: "text" }, "Text"), this.field, e("div", { class: "actions" }, this.button, this.status));
    this.field.value = model.text;
    this.inside = null;  // the text whose pass is shown
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tokens(), 120);
  }

  async tokens() {
    const text = this.field.value;
    this.asked?.abort();
    const asked = this.asked = new AbortController();
    try {
      const data = await look.ask("/look/tokens", { text }, { signal: asked.signal });
      this.showTokens(data);
      const count = data.tokenizers[0].tokens.length, most = this.model.mostTokens;
      this.say(count > most ? `${look.count(count, "token")}: to look inside this model, a text may have ${most}.`
        : text === this.inside ? "" : "Inside and Sampling show the text as it was. Ctrl+Enter looks again.", count > most);
    } catch (error) {
      if (error.name !== "AbortError") this.say(error.message, true);
    }
  }

  // Runs the pass; `stays`: on the view that is shown.
  async look(stays) {
    if (this.button.disabled) return;
    const text = this.field.value, focused = document.activeElement;
    this.button.disabled = true;
    this.say("The model reads …");
    try {
      const data = await look.ask("/look/inside", { text }, { wait: (message) => this.say(message) });
      this.inside = text;
      look.show({ ...data, lessons: this.model.lessons, training: null });
      const count = data.tokenizers[0].tokens.length;
      this.say(`Shown: the pass over ${look.count(count, "token")}.`);
      if (!stays && ["", "#tokens"].includes(location.hash)) location.hash = "#inside";
    } catch (error) {
      this.say(error.message, true);
    }
    this.button.disabled = false;
    if (focused === this.button) look.focusAgain(this.button);
    if (this.field.value !== text) this.later();
  }

  say(text, wrong = false) {
    this.status.textContent = text;
    this.status.classList.toggle("problem", wrong);
  }
};
