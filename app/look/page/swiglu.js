// SwiGLU: how far each gate of the feed-forward is open, and what passes through it.
"use strict";

look.SwigluPart = class {
  constructor() {
    this.root = look.element("div");
    this.draw();
  }

  draw() {
    const e = look.element, { layer, position } = look.selected;
    const gate = look.tensors.row("gate", layer, position), up = look.tensors.row("up", layer, position), gated = look.tensors.row("gated", layer, position);
    const silu = (x) => x / (1 + Math.exp(-x));
    const low = Math.min(-4, ...gate), high = Math.max(4, ...gate);
    const curve = Array.from({ length: 121 }, (_, i) => low + (high - low) * i / 120).map((x) => [x, silu(x)]);
    const open = gate.filter((x) => x > 0).length;
    const most = Array.from(gated, (x, i) => i).sort((a, b) => Math.abs(gated[b]) - Math.abs(gated[a])).slice(0, 8);
    look.replace(this.root,
      e("p", {}, `At ${look.labelAt(position)}, ${open} of ${gate.length} gates of layer ${layer} are above 0 and let through what “up” brings; the others nearly close: `, look.lesson("07"), "."),
      look.chart({
        title: "silu over the gate, with this position's gates on it", x: { label: "gate", range: [low, high] }, y: { label: "silu(gate)", range: [-0.5, silu(high)] }, height: 220,
        curves: [{ points: curve, class: "one" }, { points: Array.from(gate, (x) => [x, silu(x)]), class: "two", dots: true }],
      }),
      e("div", { class: "scroll" }, e("table", {}, e("caption", {}, "What most comes through"),
        e("thead", {}, e("tr", {}, ["unit", "gate", "silu(gate)", "up", "product"].map((name) => e("th", { scope: "col" }, name)))),
        e("tbody", {}, most.map((i) => {
          const cell = (kind, x) => e("td", {}, look.button(look.text(x), () => look.open({ kind, layer, position, index: i }), { class: "number" }));
          return e("tr", {}, e("th", { scope: "row" }, String(i)), cell("gate", gate[i]), e("td", {}, look.text(silu(gate[i]))), cell("up", up[i]), cell("gated", gated[i]));
        })))));
  }
};
