// The view of sampling: what comes next, how temperature and the cuts change it, and drawing from it.
"use strict";

look.SamplingView = class {
  constructor(section, data) {
    const e = look.element;
    this.options = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    this.drawn = [];  // tokens behind the text as it was read, each with the next ones that were known there
    this.at = look.tokens().length - 1;
    this.bars = e("div");
    this.summary = e("p", { "aria-live": "polite" });
    this.story = e("p", { class: "continuation" });
    this.note = e("p", { class: "dim", "aria-live": "polite" });
    const hottest = data.next.some((next) => next.rest !== null) ? 1 : 2;  // look.cut says why
    const control = (key, label, min, max, step, off) => {
      const reading = e("output", { for: "cut-" + key });
      const show = () => { reading.textContent = this.options[key] === off ? `${this.options[key]} (off)` : String(this.options[key]); };
      const input = e("input", { type: "range", id: "cut-" + key, min, max, step, value: this.options[key], on: { input: () => { this.options[key] = Number(input.value); show(); this.draw(); } } });
      show();
      return e("p", { class: "control" }, e("label", { for: "cut-" + key }, label), input, reading);
    };
    this.undo = look.button("Undo", () => { this.drawn.pop(); this.draw(); });
    this.takers = [look.button("Draw", () => this.take(this.chance())), look.button("Take the likeliest", () => this.take(0)), look.button("Draw 1000 times", () => this.tally())];
    look.replace(section, e("h2", { id: "sampling-heading" }, "Sampling"),
      e("p", {}, "The model gives every token a probability; what is drawn is up to these. They apply in this order, each on what the one before has left: ", look.lesson("09"), "."),
      e("div", { class: "controls" }, control("temperature", "Temperature", 0, hottest, 0.05, 1), control("topK", "Top-k", 0, 50, 1, 0),
        control("topP", "Top-p", 0.05, 1, 0.01, 1), control("minP", "Min-p", 0, 0.5, 0.01, 0)),
      e("p", { class: "control" }, e("label", { for: "sampling-position" }, "Behind token"), this.slider = e("input", {
        type: "range", id: "sampling-position", min: 0, max: this.at, value: this.at, on: { input: () => { this.at = Number(this.slider.value); this.drawn = []; this.draw(); } },
      })),
      this.story, e("p", { class: "actions" }, this.takers, this.undo), this.note, this.summary, this.bars);
    this.draw();
  }

  // The next tokens behind the text and what was drawn, or null where this page does not have them.
  known() {
    if (this.drawn.length) return this.drawn[this.drawn.length - 1].next;
    return look.next(this.at);
  }

  chance() {
    const next = this.known(), cut = look.cut(next.logits, this.options, next.rest);
    let u = Math.random() * (1 - cut.rest), i = 0;
    while (i + 1 < cut.p.length && (u -= cut.p[i]) >= 0) ++i;
    return i;
  }

  take(i) {
    const id = this.known().ids[i], position = this.at + this.drawn.length + 1, tokens = look.tokens();
    // Where the text itself goes on with what was drawn, the page knows what comes then.
    const along = [...this.drawn.map((d) => d.id), id].every((drawn, k) => tokens[this.at + 1 + k] === drawn);
    const drawn = { id, next: along ? look.next(position) : null, problem: "", pressed: document.activeElement };
    this.drawn.push(drawn);
    this.draw();
    if (!along && look.server && !look.data.ends.includes(id)) this.ask(drawn);
  }

  // What comes after the text and all that was drawn, of the server; it goes by tokens, as a text may fall into others.
  async ask(drawn) {
    const tokens = [...look.tokens().slice(0, this.at + 1), ...this.drawn.map((d) => d.id)];
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      const answer = await look.ask("/look/next", { tokens }, { signal: this.asked.signal });
      Object.assign(look.data.pieces, answer.pieces);
      drawn.next = look.decodeNext(answer.next);
      if (drawn.next.rest !== null) this.cool();
    } catch (error) {
      if (error.name === "AbortError") return;
      drawn.problem = error.message;
    }
    if (this.drawn[this.drawn.length - 1] !== drawn) return;
    this.draw();
    look.focusAgain(drawn.pressed);
  }

  // Not hotter than 1, where the others' sum is known at that temperature alone.
  cool() {
    const slider = document.getElementById("cut-temperature");
    slider.max = 1;
    slider.dispatchEvent(new Event("input"));
  }

  // Why what comes next is not there.
  missing() {
    const last = this.drawn[this.drawn.length - 1];
    if (look.data.ends.includes(last.id)) return "This token ends the text. Undo goes back.";
    if (look.server) return last.problem || "Asking the server …";
    return "What comes after this is not in the page, which is a picture of its text alone: ./cria sample goes on with any. Undo goes back.";
  }

  tally() {
    const counts = new Map();
    for (let n = 0; n < 1000; ++n) { const i = this.chance(); counts.set(i, (counts.get(i) || 0) + 1); }
    this.draw(counts);
  }

  draw(counts) {
    const e = look.element, next = this.known(), tokens = look.tokens();
    const text = (id) => (id === look.data.begin ? e("span", { class: "mono dim" }, "⟨begin⟩") : e("span", { class: "mono" }, look.label(id)));
    look.replace(this.story, tokens.slice(Math.max(this.at - 11, 0), this.at + 1).map(text), this.drawn.map((d) => e("mark", { class: "mono" }, look.label(d.id))));
    this.undo.disabled = this.drawn.length === 0;
    for (const button of this.takers) button.disabled = !next;
    this.note.textContent = next ? "" : this.missing();
    if (!next) { look.replace(this.summary); return look.replace(this.bars); }
    const cut = look.cut(next.logits, this.options, next.rest), left = cut.p.reduce((count, p) => count + (p > 0), 0);
    const entropy = cut.p.reduce((sum, p) => sum - (p > 0 ? p * Math.log2(p) : 0), 0);
    look.replace(this.summary, `${left} of ${look.data.inside.config.vocabulary} tokens can be drawn${next.rest !== null && cut.rest > 0 ? `, and others of ${this.options.temperature < 1 ? "at most " : ""}${look.share(cut.rest)} together that this page does not list` : ""}; ${look.text(entropy)} bits of choice.`);
    const position = this.drawn.length ? null : this.at;
    look.replace(this.bars, look.bars(Array.from(next.ids.slice(0, 20), (id, i) => ({
      label: look.label(id), share: cut.p[i], faint: next.p[i], class: cut.dropped[i] ? "dropped" : null,
      text: cut.dropped[i] ? cut.dropped[i] : counts ? `${look.share(cut.p[i])}, drawn ${counts.get(i) || 0}` : look.share(cut.p[i]),
      open: position === null ? null : () => look.open({ kind: "probability", position, token: id }),
    })), "Tokens that may come next"), e("p", { class: "dim" }, `Pale: the model's own probability${position === null ? "." : ", which pressing a row opens."}`));
  }
};
