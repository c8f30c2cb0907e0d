// The view of training: a run's loss against the least that any model can reach, and the size of its gradients.
"use strict";

look.TrainingView = class {
  constructor(section, data) {
    const e = look.element, heading = e("h2", { id: "training-heading" }, "Training"), run = data.training;
    if (!run) {
      look.replace(section, heading, e("p", {}, "No run was given. ", e("code", {}, "./cria look runs/mine --run runs/mine --out DIR"), " shows how a model of yours was trained: ", look.lesson(11), "."));
      return;
    }
    const batch = run.lines.filter((line) => !line.measured), measured = run.lines.filter((line) => line.measured);
    const of = (lines, key) => lines.filter((line) => line[key] !== undefined).map((line) => [line.step, line[key]]);
    const losses = of(run.lines, "bits_per_byte").map((p) => p[1]).sort((a, b) => a - b);
    const top = losses[Math.min(Math.floor(losses.length * 0.97), losses.length - 1)] * 1.15, low = Math.min(run.floor || 0, losses[0]) * 0.9;
    const gradients = of(batch, "grad_norm"), sizes = gradients.map((p) => p[1]).sort((a, b) => a - b);
    const steps = [0, run.steps];
    this.reading = e("dl", { class: "readings", "aria-live": "polite" });
    this.charts = e("div");
    const draw = (index) => {
      const line = run.lines[index];
      const mark = (x, y, box) => [e("line", { x1: x(line.step), x2: x(line.step), y1: box.top, y2: box.bottom, class: "now" })];
      look.replace(this.charts,
        look.legend([["batch", "one"], ["held-out text", "two"], ...(run.floor ? [["floor: the text's entropy", "three"]] : [])]),
        look.chart({
          title: "Loss in bits per byte over the steps", x: { label: "step", range: steps }, y: { label: "bits per byte", range: [low, top] }, marks: mark,
          curves: [...(run.floor ? [{ points: [[0, run.floor], [run.steps, run.floor]], class: "three" }] : []), { points: of(batch, "bits_per_byte"), class: "one thin" }, { points: of(measured, "bits_per_byte"), class: "two", dots: true }],
        }),
        gradients.length > 1 && e("h3", {}, "Gradients"),
        gradients.length > 1 && look.chart({
          title: "Norm of the gradient over the steps", height: 180, x: { label: "step", range: steps }, y: { label: "norm", range: [0, sizes[Math.floor(sizes.length * 0.98)] * 1.2] }, marks: mark,
          curves: [{ points: gradients, class: "one thin" }],
        }));
      const facts = [["step", line.step], [line.measured ? "held-out bits per byte" : "bits per byte", line.bits_per_byte], ["times the floor", run.floor && line.bits_per_byte / run.floor],
        ["gradient norm", line.grad_norm], ["learning rate", line.lr], ["seconds", line.seconds]];
      look.replace(this.reading, facts.filter(([, x]) => typeof x === "number").map(([name, x]) => e("div", {}, e("dt", {}, name), e("dd", {}, look.text(x)))));
      slider.setAttribute("aria-valuetext", `step ${line.step}`);
    };
    const slider = e("input", { type: "range", id: "training-line", min: 0, max: run.lines.length - 1, value: run.lines.length - 1, on: { input: () => draw(Number(slider.value)) } });
    look.replace(section, heading, e("p", {}, `The run ${run.name}, ${run.steps} steps. `, run.floor ? "No model can be below the floor, as it is what the grammar itself leaves open: " : "", look.lesson(11), "."),
      e("p", { class: "control" }, e("label", { for: "training-line" }, "Step"), slider), this.reading, this.charts);
    draw(run.lines.length - 1);
  }
};
