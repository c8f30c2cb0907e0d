// The view of the model's inside: the picture, the strip of what was pressed there, and the parts one by one.
"use strict";

look.InsideView = class {
  constructor(section, data) {
    const e = look.element, c = data.inside.config;
    this.detail = e("div", { class: "detail", "aria-live": "polite" });
    this.picture = new look.ModelPicture((kind, layer) => this.show(kind, layer));
    this.parts = [
      ["Attention", new look.AttentionPart()], ["RoPE", new look.RopePart()], ["SwiGLU", new look.SwigluPart()],
      ["The residual stream", new look.StreamPart()], ["Logit lens", new look.LensPart()], ["A head switched off", new look.HeadsPart()],
    ];
    look.replace(section, e("h2", { id: "inside-heading" }, "Inside"),
      e("p", {}, `This is ${data.model}: ${c.parameters.toLocaleString("en")} parameters in ${c.layers} layers, ${c.heads} heads of width ${c.headDim} (${c.kvHeads} for keys and values). `,
        "All that one pass over the text computes is in this page. Choose a token; press a box, a cell or a number to see what it is and what it came from."),
      look.positionBar(),
      e("div", { class: "beside picture-and-detail" }, this.picture.root, this.detail),
      this.parts.map(([title, part]) => e("section", { class: "part", "aria-label": title }, e("h3", {}, title), part.root)));
    look.watchers.push((change) => this.update(change));
    this.show(this.picture.chosen, look.selected.layer);
  }

  show(kind, layer) {
    const e = look.element, { position } = look.selected, described = look.kinds[kind];
    this.kind = kind;
    look.replace(this.detail, e("h3", {}, described.title), e("p", {}, e("span", { class: "formula" }, described.formula), e("br"),
      e("span", { class: "dim" }, "Explained in "), described.chapters.flatMap((chapter, i) => [i ? ", " : "", look.lesson(chapter)])),
    e("p", { class: "dim" }, `${layer === null ? "" : `Layer ${layer}, `}at ${look.labelAt(position)}. Arrow keys walk along the cells, Enter opens a number.`),
    look.tensorStrip(kind, layer, position),
    ["query", "attended"].includes(kind) && this.byHead(kind, layer));
  }

  byHead(kind, layer) {
    const c = look.data.inside.config, row = look.tensors.row(kind, layer, look.selected.position);
    return look.bars(Array.from({ length: c.heads }, (_, h) => {
      const size = look.norm(row.subarray(h * c.headDim, (h + 1) * c.headDim));
      return { label: `head ${h}`, share: size / look.norm(row), text: look.text(size), open: () => look.select({ head: h }) };
    }), "Norm of each head's part");
  }

  update() {
    const focused = document.activeElement, parent = focused && focused.closest && focused.closest(".layers, .maps, .heads");
    const again = parent && [parent.className, [...parent.querySelectorAll("button")].indexOf(focused)];
    this.picture.draw();
    this.show(this.kind, ["embedding", "normed"].includes(this.kind) ? null : look.selected.layer);
    for (const [, part] of this.parts) part.draw();
    if (again) document.querySelector("." + again[0])?.querySelectorAll("button")[again[1]]?.focus({ preventScroll: true });
  }
};
