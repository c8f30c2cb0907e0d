// Each head switched off in turn: what the model then says behind the last token.
"use strict";

look.HeadsPart = class {
  constructor() {
    this.root = look.element("div");
    this.draw();
  }

  draw() {
    const e = look.element, c = look.data.inside.config, off = look.data.headsOff, { layer, head } = look.selected;
    const last = look.tokens().length - 1;
    if (!off) return look.replace(this.root, e("p", { class: "dim" }, "With this model and text that would take too long, so it is not in this page."));
    const most = Math.max(...off.map((one) => one.divergence)) || 1, chosen = off[layer * c.heads + head];
    const grid = e("div", { class: "scroll" }, e("table", { class: "heads" }, e("caption", {}, "Divergence in bits, by layer and head"),
      e("thead", {}, e("tr", {}, e("th", { scope: "col" }, "layer"), Array.from({ length: c.heads }, (_, h) => e("th", { scope: "col" }, String(h))))),
      e("tbody", {}, Array.from({ length: c.layers }, (_, l) => e("tr", {}, e("th", { scope: "row" }, String(l)), Array.from({ length: c.heads }, (_, h) => {
        const one = off[l * c.heads + h];
        return e("td", { style: { "--share": one.divergence / most } }, look.button(one.divergence.toFixed(3), () => look.select({ layer: l, head: h }), {
          "aria-pressed": String(l === layer && h === head), "aria-label": `layer ${l}, head ${h}: ${look.text(one.divergence)} bits`,
        }));
      }))))));
    const next = look.next(last), p = (id) => { const i = next.ids.indexOf(id); return i < 0 ? 0 : next.p[i]; };
    const all = Array.from(next.ids.slice(0, 8), (id) => ({ label: look.label(id), share: p(id), text: look.share(p(id)), open: () => look.open({ kind: "probability", position: last, token: id }) }));
    const without = chosen.top.map(([id, q]) => ({ label: look.label(id), share: q, faint: p(id), text: look.share(q) }));
    look.replace(this.root,
      e("p", {}, "A head that gives zeros, at all positions, and the rest of the pass run again. The more what comes next changes, the more this text needs the head. Behind the last token, ", e("b", {}, look.labelAt(last)), ":"),
      grid, e("div", { class: "beside" }, e("div", {}, e("h4", {}, "All heads"), look.bars(all, "Next tokens with all heads")),
        e("div", {}, e("h4", {}, `Without head ${head} of layer ${layer}`), look.bars(without, "Next tokens without the head"), e("p", { class: "dim" }, "Pale: with all heads."))));
  }
};
