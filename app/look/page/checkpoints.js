// The models that a run has kept: what each of them makes of this very text. A slider goes from one to the next.
"use strict";

look.CheckpointsPart = class {
  constructor(data) {
    const e = look.element;
    this.models = data.checkpoints.list;
    this.most = Math.log2(data.inside.config.vocabulary);  // what a guess at random costs
    const last = this.models.length - 1;
    this.slider = e("input", { type: "range", id: "checkpoint", min: 0, max: last, value: last, on: { input: () => this.draw() } });
    this.step = e("output", { for: "checkpoint" });
    this.reading = e("p", { "aria-live": "polite" });
    this.tokens = look.tokens().map((id, position) => look.button(look.label(id), () => look.select({ position }), { class: "token" }));
    const bar = e("div", { class: "costs", role: "group", "aria-label": "The text, by what each token costs" }, this.tokens);
    bar.addEventListener("keydown", (event) => this.move(event));
    this.chart = e("div");
    this.next = e("div");
    this.root = e("section", { class: "part checkpoints", "aria-labelledby": "checkpoints-heading" },
      e("h3", { id: "checkpoints-heading" }, "How it learned this text"),
      e("p", {}, "The run kept its model at some steps. Each has read the text: the stronger a token's colour, the more bits it costs behind those before it, up to those of a guess at random."),
      data.checkpoints.left_out > 0 && e("p", { class: "dim" }, `Of the kept models, ${data.checkpoints.left_out} are not in this page.`),
      e("p", { class: "control" }, e("label", { for: "checkpoint" }, "Kept model"), this.slider, this.step), this.reading, bar,
      e("div", { class: "beside" }, this.chart, this.next));
    look.watchers.push((change) => { if ("position" in change) this.draw(); });
    this.draw();
  }

  mean(model) { return model.bits.reduce((sum, bits) => sum + bits, 0) / model.bits.length; }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const position = Math.min(Math.max(look.selected.position + step, 0), this.tokens.length - 1);
    look.select({ position });
    this.tokens[position].focus();
  }

  draw() {
    const e = look.element, model = this.models[Number(this.slider.value)], { position } = look.selected, count = model.bits.length;
    this.step.textContent = `step ${model.step}`;
    this.slider.setAttribute("aria-valuetext", `step ${model.step}`);
    look.replace(this.reading, count > 0 ? ["After step ", String(model.step), " the text costs ", e("b", {}, look.text(this.mean(model))), ` bits per token, ${look.text(this.mean(model) * count)} in all.`] : "The text has no token that follows another.");
    this.tokens.forEach((button, t) => {
      button.setAttribute("aria-pressed", String(t === position));
      button.tabIndex = t === position ? 0 : -1;
      button.title = t > 0 ? `${look.text(model.bits[t - 1])} bits` : "";
      button.style.setProperty("--share", t > 0 ? Math.min(model.bits[t - 1] / this.most, 1) : 0);
    });
    const means = count > 0 ? this.models.map((one) => [one.step, this.mean(one)]) : [];
    look.replace(this.chart, means.length > 0 && [e("h4", {}, "Bits per token of the text"), look.chart({
      title: "Bits per token of the text over the steps of the kept models", height: 200, x: { label: "step", range: [0, means[means.length - 1][0]] },
      y: { label: "bits per token", range: [0, Math.max(...means.map((p) => p[1])) * 1.1] },
      curves: [{ points: means, class: "one" }, { points: means, class: "one", dots: true }],
      marks: (x, y, box) => [e("line", { x1: x(model.step), x2: x(model.step), y1: box.top, y2: box.bottom, class: "now" })],
    })]);
    const follows = look.tokens()[position + 1], rows = model.top[position].map(([id, p]) => ({
      label: e("span", { class: "mono" }, look.label(id)), share: p, text: look.share(p) + (id === follows ? ", follows" : ""),
    }));
    if (follows !== undefined && !model.top[position].some(([id]) => id === follows)) {
      const p = 2 ** -model.bits[position];
      rows.push({ label: e("span", { class: "mono" }, look.label(follows)), share: p, text: look.share(p) + ", follows" });
    }
    look.replace(this.next, e("h4", {}, "What comes next behind ", e("span", { class: "mono" }, look.labelAt(position))), look.bars(rows, "The likeliest next tokens"));
  }
};
