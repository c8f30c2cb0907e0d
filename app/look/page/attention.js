// Attention: every head of the layer as a map, one of them large; rows are queries, columns keys.
"use strict";

look.AttentionPart = class {
  constructor() {
    this.root = look.element("div");
    this.byColumn = false;
    this.column = 0;
    this.draw();
  }

  draw() {
    const e = look.element, c = look.data.inside.config, { layer, head, position } = look.selected, T = look.tensors.positions;
    this.column = Math.min(this.column, position);
    const maps = Array.from({ length: c.heads }, (_, h) => e("button", {
      type: "button", class: "map", "aria-pressed": String(h === head), on: { click: () => look.select({ head: h }) },
    }, this.map(layer, h, { "aria-hidden": "true" }), `head ${h}`));
    const map = this.map(layer, head, { "aria-hidden": "true" });
    const row = e("span", { class: "cursor", "aria-hidden": "true", style: { left: "0", width: "100%", top: 100 * position / T + "%", height: 100 / T + "%" } });
    const column = e("span", { class: "cursor", "aria-hidden": "true", style: { top: "0", height: "100%", left: 100 * this.column / T + "%", width: 100 / T + "%" } });
    const large = e("div", {
      class: "large-map", tabindex: 0, role: "group", "aria-roledescription": "attention map",
      "aria-label": `Head ${head} of layer ${layer}. Up and down choose the query, left and right the key, Enter opens the weight.`,
    }, map, row, column);
    const p = look.attentionWeight(layer, head, position, this.column);
    const open = () => look.open({ kind: "weight", layer, head, position, key: this.column });
    large.addEventListener("click", (event) => {
      const box = map.getBoundingClientRect();
      const at = (offset, size) => Math.min(Math.max(Math.floor(offset / size * T), 0), T - 1);
      this.move(at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width));
    });
    large.addEventListener("keydown", (event) => {
      const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] || [];
      if (event.key === "Enter") open();
      else if (down === undefined) return;
      else this.move(position + down, this.column + right);
      event.preventDefault();
    });
    const kinds = [["row", false, "What it looks at"], ["column", true, "What looks at it"]];
    const weights = [];
    for (let other = 0; other < T; ++other) {
      const [t, s] = this.byColumn ? [other, this.column] : [position, other];
      if (s <= t) weights.push({ other, t, s, p: look.attentionWeight(layer, head, t, s) });
    }
    weights.sort((a, b) => b.p - a.p);
    const list = look.bars(weights.slice(0, 10).map((w) => ({
      label: look.labelAt(w.other), share: w.p, text: look.share(w.p), open: () => look.open({ kind: "weight", layer, head, position: w.t, key: w.s }),
    })), this.byColumn ? "Queries by how much they look at the key" : "Keys by how much the query looks at them");
    look.replace(this.root,
      e("p", {}, "A row is a query and its weights sum to 1: the stronger the colour, the more of that column's value it takes. Nothing is above the diagonal, as no token sees a later one: ", look.lesson("05"), "."),
      e("div", { class: "maps", role: "group", "aria-label": `Heads of layer ${layer}` }, maps),
      e("div", { class: "beside" }, e("div", {}, e("p", {}, "Query ", e("b", {}, look.labelAt(position)), ", key ", e("b", {}, look.labelAt(this.column)), ": ",
        look.button(look.text(p), open, { class: "number" })), large),
      e("div", {}, e("div", { class: "choice", role: "group", "aria-label": "Row or column" }, kinds.map(([name, byColumn, text]) =>
        look.button(text, () => { this.byColumn = byColumn; this.draw(); }, { "aria-pressed": String(byColumn === this.byColumn), "data-axis": name }))),
      e("p", { class: "dim" }, this.byColumn ? `Column ${look.labelAt(this.column)}` : `Row ${look.labelAt(position)}`), list)));
  }

  map(layer, head, attributes) {
    const T = look.tensors.positions;
    return look.cells(T, T, (t, s) => (s > t ? null : Math.sqrt(look.attentionWeight(layer, head, t, s))), attributes);
  }

  move(position, column) {
    const T = look.tensors.positions;
    position = Math.min(Math.max(position, 0), T - 1);
    this.column = Math.min(Math.max(column, 0), position);
    look.select({ position });
    this.root.querySelector(".large-map").focus({ preventScroll: true });
  }
};
