// The view of training: a run's loss against the least that any model can reach, the size of its gradients, and how the
// models that it kept read the text. A run that goes on shows more while it does (watch.js).
"use strict";

look.time = function (seconds) {
  const whole = Math.round(seconds), two = (x) => String(x).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};

look.TrainingView = class {
  constructor(section, data) {
    const e = look.element, run = data.training;
    look.training = this;
    this.intro = e("p");
    this.reading = e("dl", { class: "readings", "aria-live": run.watched ? "off" : "polite" });
    this.charts = e("div");
    this.slider = e("input", { type: "range", id: "training-line", min: 0, max: 0, value: 0, on: { input: () => this.draw() } });
    this.run = { lines: [] };
    this.kept = data.checkpoints && new look.CheckpointsPart(data);
    matchMedia("(max-width: 639px)").addEventListener("change", () => { this.draw(); if (this.kept) this.kept.draw(); });  // as look.chart
    look.replace(section, e("h2", { id: "training-heading" }, "Training"), this.intro,
      run.watched && (this.watch = new look.RunWatch(this)).root,
      e("p", { class: "control" }, e("label", { for: "training-line" }, "Step"), this.slider), this.reading, this.charts,
      this.kept && this.kept.root);
    this.show(run);
  }

  // The run as it is now. The slider stays at its step, or at the newest one.
  show(run) {
    const before = this.line(), newest = Number(this.slider.value) === this.run.lines.length - 1;
    this.run = run;
    const last = Math.max(run.lines.length - 1, 0);
    this.slider.max = last;
    this.slider.value = !before || newest ? last : Math.max(run.lines.findIndex((line) => line.step >= before.step), 0);
    this.slider.disabled = run.lines.length < 2;
    look.replace(this.intro, run.name ? `The run ${run.name}${run.watched ? "" : `, ${run.steps} steps`}. ` : "",
      run.floor ? "No model can be below the floor, as it is what the grammar itself leaves open: " : "How a run goes: ", look.lesson(11), ".");
    this.draw();
  }

  line() { return this.run.lines[Number(this.slider.value)]; }

  draw() {
    const e = look.element, run = this.run;
    // While it goes, a line of the newest steps is a mean; what is read is the last one itself.
    const line = run.latest && Number(this.slider.value) === run.lines.length - 1 ? run.latest : this.line();
    if (!line) return look.replace(this.reading), look.replace(this.charts, e("p", { class: "dim" }, "No step is done yet."));
    // What is learned from may be no text, as with preferences; then there is only a loss.
    const text = run.lines.some((one) => one.bits_per_byte > 0), loss = text ? "bits_per_byte" : "loss";
    const known = ["step", "measured", "seconds", "loss", "val_loss", "bits_per_byte", "lr", "grad_norm", "tokens_per_second"];
    const own = Object.keys(line).filter((name) => !known.includes(name));
    const facts = [["step", line.step],
      text && [line.measured ? "held-out bits per byte" : "bits per byte", line.bits_per_byte],
      text && run.floor && ["times the floor", line.bits_per_byte / run.floor],
      [text ? "loss in nats per token" : "loss", line.loss], !text && ["held-out loss", line.val_loss], ...own.map((name) => [name, line[name]]),
      ["gradient norm", line.grad_norm], ["learning rate", line.lr], ["tokens/s", line.tokens_per_second && Math.round(line.tokens_per_second)],
      ["time", line.seconds, look.time]].filter((fact) => fact && typeof fact[1] === "number");
    look.replace(this.reading, facts.map(([name, x, write]) => e("div", {}, e("dt", {}, name), e("dd", {}, (write || look.text)(x)))));
    this.slider.setAttribute("aria-valuetext", `step ${line.step}`);
    look.replace(this.charts, this.lossChart(line, loss),
      e("div", { class: "two" }, [["grad_norm", "Gradients", "norm"], ["lr", "Learning rate", "rate"], ...own.map((name) => [name, name, name])]
        .map(([key, heading, label]) => this.smallChart(line, key, heading, label))));
  }

  points(key, measured) {
    return this.run.lines.filter((line) => typeof line[key] === "number" && (measured === undefined || line.measured === measured))
      .map((line) => [line.step, line[key]]);
  }
  mark(line) { return (x, y, box) => [look.element("line", { x1: x(line.step), x2: x(line.step), y1: box.top, y2: box.bottom, class: "now" })]; }

  lossChart(line, key) {
    const { run } = this, text = key === "bits_per_byte", steps = [0, run.steps];
    // A line with a measurement has its bits of held-out text, and its loss of the batch as ever.
    const batch = this.points(key, text ? false : undefined), measured = this.points(text ? key : "val_loss", true);
    const losses = [...batch, ...measured].map((p) => p[1]).sort((a, b) => a - b);
    const top = losses[Math.min(Math.floor(losses.length * 0.97), losses.length - 1)] * 1.15, low = Math.min(run.floor || 0, losses[0]) * 0.9;
    return [look.legend([["batch", "one"], measured.length > 0 && [text ? "held-out text" : "held out", "two"], run.floor && ["floor: the text's entropy", "three"]].filter((name) => name)),
      look.chart({
        title: text ? "Loss in bits per byte over the steps" : "Loss over the steps", x: { label: "step", range: steps },
        y: { label: text ? "bits per byte" : "loss", range: [low, top] }, marks: this.mark(line),
        curves: [...(run.floor ? [{ points: [[0, run.floor], [run.steps, run.floor]], class: "three" }] : []), { points: batch, class: "one thin" }, { points: measured, class: "two", dots: true }],
      })];
  }

  smallChart(line, key, heading, label) {
    const points = this.points(key), sizes = points.map((p) => p[1]).sort((a, b) => a - b);
    if (points.length < 2) return null;
    const range = [Math.min(0, sizes[0]), Math.max(0, sizes[Math.floor(sizes.length * 0.98)] * 1.2)];
    return look.element("div", {}, look.element("h3", {}, heading), look.chart({
      title: `${heading} over the steps`, height: 180, x: { label: "step", range: [0, this.run.steps] }, marks: this.mark(line),
      y: { label, range: range[0] < range[1] ? range : [0, 1] }, curves: [{ points, class: "one thin" }],
    }));
  }
};
