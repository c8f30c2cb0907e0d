// The residual stream: how large it is on its way up, and what each part adds to it.
"use strict";

look.StreamPart = class {
  constructor() {
    this.root = look.element("div");
    this.draw();
  }

  draw() {
    const e = look.element, L = look.data.inside.config.layers, { position } = look.selected, T = look.tensors.positions;
    const norms = (t) => {
      const points = [[0, look.norm(look.tensors.row("embedding", null, t))]];
      for (let i = 0; i < L; ++i)
        points.push([i + 0.5, look.norm(look.tensors.row("middle", i, t))], [i + 1, look.norm(look.tensors.row("output", i, t))]);
      return points;
    };
    const others = Array.from({ length: T }, (_, t) => t).filter((t) => t !== position).map((t) => ({ points: norms(t), class: "faint" }));
    const rows = [], difference = (a, b) => look.norm(a.map((x, i) => x - b[i]));
    for (let i = 0; i < L; ++i) {
      const input = look.tensors.row("input", i, position), middle = look.tensors.row("middle", i, position), output = look.tensors.row("output", i, position);
      rows.push([`layer ${i}, attention`, difference(middle, input)], [`layer ${i}, feed-forward`, difference(output, middle)]);
    }
    const most = Math.max(...rows.map((row) => row[1]));
    look.replace(this.root,
      e("p", {}, "Every layer reads the stream and adds to it; nothing is ever overwritten. The thick line is ", e("b", {}, look.labelAt(position)), ", the thin ones the other positions: ", look.lesson("08"), "."),
      look.chart({
        title: "Norm of the residual stream by layer", height: 220, curves: [...others, { points: norms(position), class: "one" }],
        x: { label: "layers done", ticks: Array.from({ length: L + 1 }, (_, i) => i).filter((i) => i % Math.ceil(L / 10) === 0) },
        y: { label: "norm", range: [0, Math.max(...[...others, { points: norms(position) }].flatMap((curve) => curve.points.map((p) => p[1]))) * 1.05] },
      }),
      e("h4", {}, "What is added, as a norm"),
      look.bars(rows.map(([label, size]) => ({ label, share: size / most, text: look.text(size) })), "Norm of what each part adds"));
  }
};
