// The picture of the model: the residual stream from the token up to what comes next, with one layer drawn whole. Each box
// is a tensor at the selected position, and shows it when it is pressed.
"use strict";

look.ModelPicture = class {
  // show(kind, layer): what a pressed box does.
  constructor(show) {
    this.show = show;
    this.root = look.element("div", { class: "picture" });
    this.chosen = "attended";
    this.draw();
  }

  choose(kind, layer) {
    this.chosen = kind;
    this.show(kind, layer);
    this.mark();
  }

  mark() {
    for (const box of this.root.querySelectorAll("button.box")) box.setAttribute("aria-pressed", String(box.dataset.kind === this.chosen));
  }

  box(kind, layer, text, small) {
    const { position } = look.selected, row = look.tensors.row(kind, layer, position), most = look.largest(row);
    const columns = Math.min(row.length, 96);
    return look.element("button", { type: "button", class: "box", "data-kind": kind, on: { click: () => this.choose(kind, layer) } },
      look.element("span", {}, text), small && look.element("small", {}, small),
      look.cells(1, columns, (_, c) => row[Math.floor(c * row.length / columns)] / most, { "aria-hidden": "true" }));
  }

  draw() {
    const e = look.element, c = look.data.inside.config, { layer, position } = look.selected;
    const stage = (node, ...boxes) => e("div", { class: "stage" + (node ? " " + node : "") }, e("div", { class: "boxes" }, boxes));
    const arrow = () => e("span", { class: "arrow", "aria-hidden": "true" }, "→");
    const layers = e("div", { class: "layers", role: "group", "aria-label": "Layers" }, Array.from({ length: c.layers }, (_, i) =>
      look.button(String(i), () => look.select({ layer: i }), { class: "layer", "aria-pressed": String(i === layer), "aria-label": `layer ${i}` })));
    const next = look.next(position);
    look.replace(this.root,
      stage("start", e("span", { class: "plain" }, "token ", e("b", {}, look.label(look.tokens()[position]))), arrow(), this.box("embedding", null, "embedding", `${c.dim} wide`)),
      e("div", { class: "stage" }, e("span", { class: "plain" }, c.layers === 1 ? "layer" : "layers"), layers),
      e("div", { class: "block" },
        stage("", this.box("attention_norm", layer, "norm"), arrow(),
          e("div", { class: "stack" }, this.box("query", layer, "query", `${c.heads} heads`), this.box("key", layer, "key", `${c.kvHeads} heads`), this.box("value", layer, "value")),
          arrow(), this.box("attended", layer, "attention", `${c.headDim} a head`)),
        stage("plus", this.box("middle", layer, "stream + Wo · attention")),
        stage("", this.box("feed_forward_norm", layer, "norm"), arrow(),
          e("div", { class: "stack" }, this.box("gate", layer, "gate", `${c.hidden} wide`), this.box("up", layer, "up")),
          arrow(), this.box("gated", layer, "SwiGLU", "silu(gate) · up")),
        stage("plus", this.box("output", layer, "stream + Wdown · SwiGLU"))),
      stage("", this.box("normed", null, "last norm"), arrow(),
        e("span", { class: "plain" }, "head → ", e("b", {}, look.label(next.ids[0])), ` ${look.share(next.p[0])}`)));
    this.mark();
  }
};
