// RoPE: pairs of channels of a head's query or key, before and after they are turned by the position.
"use strict";

look.RopePart = class {
  constructor() {
    this.root = look.element("div");
    this.kind = "query";
    this.turnTo = null;
    this.draw();
  }

  draw() {
    const e = look.element, c = look.data.inside.config, { layer, position } = look.selected, half = c.headDim / 2;
    const head = this.kind === "query" ? look.selected.head : Math.floor(look.selected.head / (c.heads / c.kvHeads));
    const pairs = [...new Set([0, 1, 2, 3, half >> 2, half >> 1, half - 1])].filter((i) => i < half);
    const T = look.tensors.positions, to = Math.min(this.turnTo === null ? position : this.turnTo, T - 1);
    const pictures = e("div", { class: "circles" }), reading = e("output", { class: "reading" });
    const drawAt = (turn) => {
      reading.textContent = `at position ${turn}`;
      look.replace(pictures, pairs.map((i) => this.pair(head, i, turn)));
    };
    const slider = e("input", { type: "range", id: "rope-position", min: 0, max: T - 1, value: to, on: { input: (event) => { this.turnTo = Number(event.target.value); drawAt(this.turnTo); } } });
    drawAt(to);
    look.replace(this.root,
      e("p", {}, "Each pair of channels turns by an angle that grows with the position, the first pairs fast, the last hardly: so a query's product with a key depends on how far apart the two are: ", look.lesson("04"), "."),
      e("div", { class: "choice", role: "group", "aria-label": "Query or key" }, ["query", "key"].map((kind) =>
        look.button(kind, () => { this.kind = kind; this.draw(); }, { "aria-pressed": String(kind === this.kind) }))),
      e("p", {}, `The ${this.kind} of `, e("b", {}, look.labelAt(position)), ` in head ${head} of layer ${layer}; grey before RoPE, coloured turned as it is `, reading, "."),
      e("p", { class: "control" }, e("label", { for: "rope-position" }, "Turn it as at position"), slider), pictures);
  }

  pair(head, i, to) {
    const e = look.element, c = look.data.inside.config, { layer, position } = look.selected;
    const index = head * c.headDim + (c.interleaved ? 2 * i : i), turn = look.unturned(this.kind, layer, position, index);
    const cos = look.tensors.row("cosine", null, to)[i], sin = look.tensors.row("sine", null, to)[i];
    const length = Math.hypot(turn.plainA, turn.plainB) || 1, R = 44;
    const arrow = (a, b, name) => e("line", { x1: 0, y1: 0, x2: R * a / length, y2: -R * b / length, class: name });
    const angle = look.tensors.positions > 1 && Math.atan2(look.tensors.row("sine", null, 1)[i], look.tensors.row("cosine", null, 1)[i]);
    return e("figure", {}, e("svg", { viewBox: "-50 -50 100 100", role: "img", "aria-label": `pair ${i} turned` },
      e("circle", { cx: 0, cy: 0, r: R, class: "ring" }), arrow(turn.plainA, turn.plainB, "before"),
      arrow(turn.plainA * cos - turn.plainB * sin, turn.plainA * sin + turn.plainB * cos, "after")),
    e("figcaption", {}, `pair ${i}`, e("br"), angle !== false && [e("small", {}, `${look.text(angle)} rad a position`), e("br")],
      look.button(look.text(turn.turnedA), () => look.open({ kind: this.kind, layer, position, index: turn.a }), { class: "number" }), " ",
      look.button(look.text(turn.turnedB), () => look.open({ kind: this.kind, layer, position, index: turn.b }), { class: "number" })));
  }
};
