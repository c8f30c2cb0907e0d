// A head switched off: what the model then says behind the last token. Where the page has it of every head, the table
// says how much each of them matters; a server is asked for the others when they are pressed.
"use strict";

look.HeadsPart = class {
  constructor() {
    this.root = look.element("div");
    this.problem = "";
    this.draw();
  }

  draw() {
    const e = look.element, c = look.data.inside.config, { layer, head } = look.selected, last = look.tokens().length - 1;
    if (!look.data.headsOff) {
      if (!look.server) return look.replace(this.root, e("p", { class: "dim" }, "With this model and text that would take too long, so it is not in this page."));
      look.data.headsOff = new Array(c.layers * c.heads).fill(null);
    }
    const off = look.data.headsOff, chosen = off[layer * c.heads + head], known = off.filter(Boolean);
    const most = Math.max(...known.map((one) => one.divergence)) || 1;
    const cell = (l, h) => {
      const one = off[l * c.heads + h], text = one ? one.divergence.toFixed(3) : "?";
      return e("td", { style: { "--share": one ? one.divergence / most : 0 } }, look.button(text, () => this.press(l, h), {
        "aria-pressed": String(l === layer && h === head), "aria-label": `layer ${l}, head ${h}: ${one ? look.text(one.divergence) + " bits" : "switch it off"}`,
      }));
    };
    const numbers = (n) => Array.from({ length: n }, (_, i) => i);
    const focused = [...this.root.querySelectorAll("button")].indexOf(document.activeElement);
    const left = known.length < off.length, top = this.grid ? this.grid.scrollTop : 0;
    const grid = this.grid = e("div", { class: "scroll all-heads" }, e("table", { class: "heads" },
      e("caption", {}, "Divergence in bits, by layer and head"),
      e("thead", {}, e("tr", {}, e("th", { scope: "col" }, "layer"), numbers(c.heads).map((h) => e("th", { scope: "col" }, String(h))))),
      e("tbody", {}, numbers(c.layers).map((l) => e("tr", {}, e("th", { scope: "row" }, String(l)), numbers(c.heads).map((h) => cell(l, h)))))));
    const next = look.next(last), p = (id) => { const i = next.ids.indexOf(id); return i < 0 ? 0 : next.p[i]; };
    const all = Array.from(next.ids.slice(0, 8), (id) => ({ label: look.label(id), share: p(id), text: look.share(p(id)), open: () => look.open({ kind: "probability", position: last, token: id }) }));
    const without = chosen && chosen.top.map(([id, q]) => ({ label: look.label(id), share: q, faint: p(id), text: look.share(q) }));
    look.replace(this.root,
      e("p", {}, "A head that gives zeros, at all positions, and the rest of the pass run again. The more what comes next changes, the more this text needs the head. Behind the last token, ", e("b", {}, look.labelAt(last)), ":"),
      left && e("p", {}, "Pressing a question mark in the table switches that head off."),
      grid, left && e("p", { class: "actions" }, look.button(`Every head of layer ${layer} in turn`, () => this.askLayer(layer), { disabled: off.slice(layer * c.heads, (layer + 1) * c.heads).every(Boolean) })),
      this.problem && e("p", { class: "problem", role: "alert" }, this.problem),
      e("div", { class: "beside" }, e("div", {}, e("h4", {}, "All heads"), look.bars(all, "Next tokens with all heads")),
        e("div", {}, e("h4", {}, `Without head ${head} of layer ${layer}`), without
          ? [look.bars(without, "Next tokens without the head"), e("p", { class: "dim" }, "Pale: with all heads.")]
          : e("p", { class: "dim" }, "Press the head in the table to switch it off."))));
    grid.scrollTop = top;
    if (focused >= 0) look.focusAgain(this.root.querySelectorAll("button")[focused]);
  }

  press(layer, head) {
    this.problem = "";
    if (!look.data.headsOff[layer * look.data.inside.config.heads + head]) this.ask(look.data, layer, head);
    look.select({ layer, head });
  }

  async ask(data, layer, head) {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(look.bytes(data.text));
    try {
      const answer = await look.ask("/look/head", { text, layer, head });
      Object.assign(data.pieces, answer.pieces);
      data.headsOff[layer * data.inside.config.heads + head] = answer.off;
    } catch (error) {
      this.problem = error.message;
    }
    if (look.data === data) this.draw();
  }

  async askLayer(layer) {
    const data = look.data, heads = data.inside.config.heads;
    this.problem = "";
    for (let head = 0; head < heads && look.data === data && !this.problem; ++head)
      if (!data.headsOff[layer * heads + head]) await this.ask(data, layer, head);
  }
};
