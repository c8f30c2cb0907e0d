// The batching timeline: what the engine did in each of its last passes, for whom, as it does it.
"use strict";

look.BatchingPart = class {
  constructor() {
    const e = look.element;
    this.steps = [];
    this.last = 0;
    this.reading = e("p", { class: "dim" });
    this.picture = e("div");
    this.slider = e("input", { type: "range", id: "batching-pass", min: 1, max: 1, value: 1, on: { input: () => { this.follows = Number(this.slider.value) === Number(this.slider.max); this.draw(); } } });
    this.follows = true;
    this.control = e("p", { class: "control", hidden: true }, e("label", { for: "batching-pass" }, "Up to pass"), this.slider);
    this.root = e("div", {}, this.reading, this.picture, this.control);
    this.draw();
  }

  // Asks for what is new; `on`: from now on, several times a second.
  watch(on) {
    clearTimeout(this.timer);
    this.on = on;
    if (on) this.poll();
  }

  async poll() {
    try {
      const answer = await look.ask("/look/steps?after=" + this.last);
      if (answer.last < this.last) this.steps = [];  // another server by now
      this.last = answer.last;
      this.blocks = answer.blocks;
      if (answer.steps.length) {
        this.steps = [...this.steps, ...answer.steps].slice(-400);
        this.slider.max = this.steps.length;
        if (this.follows) this.slider.value = this.steps.length;
        this.control.hidden = false;
        this.draw();
      }
      this.problem = "";
    } catch (error) {
      this.reading.textContent = error.message;
    }
    if (this.on) this.timer = setTimeout(() => this.poll(), document.hidden ? 3000 : 400);
  }

  draw() {
    const e = look.element, phone = innerWidth < 640, W = phone ? 360 : 640, columns = phone ? 14 : 28, left = 58;
    const end = Number(this.slider.value), steps = this.steps.slice(Math.max(end - columns, 0), end);
    if (!steps.length) {
      this.reading.textContent = "Nothing has run yet.";
      return;
    }
    const now = steps[steps.length - 1], read = now.parts.reduce((sum, [, positions, drawn]) => sum + (positions > 1 || !drawn ? positions : 0), 0);
    const drawn = now.parts.reduce((sum, part) => sum + part[2], 0);
    this.reading.textContent = `Pass ${now.number}: ${now.parts.length} ${now.parts.length === 1 ? "text" : "texts"}, ${read} prompt tokens read, ${drawn} tokens drawn in ${look.text(1000 * now.seconds)} ms; ` +
      `${now.blocksUsed} of ${this.blocks} blocks in use, ${now.blocksShared} of them shared; ${now.waiting} waiting.`;
    const texts = [...new Set(steps.flatMap((step) => [...step.parts.map((part) => part[0]), ...step.preempted]))].sort((a, b) => a - b).slice(-12);
    const row = 24, top = 8, column = (W - left - 4) / columns, bottom = top + row * texts.length + 12, bars = 46, H = bottom + bars + 22;
    const chart = e("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": `Passes ${steps[0].number} to ${now.number}: who computes how many positions in each` });
    const at = (id) => top + row * texts.indexOf(id), most = Math.max(this.blocks, 1);
    for (const id of texts)
      chart.append(e("text", { x: 2, y: at(id) + 16, class: "dim" }, "text " + id), e("line", { x1: left, x2: W, y1: at(id) + row - 1, y2: at(id) + row - 1, class: "grid" }));
    steps.forEach((step, i) => {
      const x = left + column * i;
      for (const [id, positions, drew] of step.parts) {
        if (!texts.includes(id)) continue;
        if (positions > 1 || !drew) chart.append(e("rect", { x: x + 1, y: at(id) + 3, width: column - 2, height: row - 7, rx: 3, class: "read" }), e("text", { x: x + column / 2, y: at(id) + 16, "text-anchor": "middle", class: "small" }, String(positions)));
        else chart.append(e("circle", { cx: x + column / 2, cy: at(id) + row / 2 - 1, r: 4.5, class: "drawn" }));
        if (step.finished.includes(id)) chart.append(e("line", { x1: x + column - 1, x2: x + column - 1, y1: at(id) + 3, y2: at(id) + row - 4, class: "ended" }));
      }
      for (const id of step.preempted) if (texts.includes(id)) chart.append(e("text", { x: x + column / 2, y: at(id) + 16, "text-anchor": "middle", class: "small out" }, "out"));
      const height = Math.max(bars * step.blocksUsed / most, step.blocksUsed ? 1.5 : 0);
      chart.append(e("rect", { x: x + 1, y: bottom + bars - height, width: column - 2, height, class: "blocks" }));
      if (i === 0 || i === steps.length - 1 || step.number % 5 === 0 && i > 2 && i < steps.length - 3) chart.append(e("text", { x: x + column / 2, y: H - 6, "text-anchor": i === 0 ? "start" : i === steps.length - 1 ? "end" : "middle", class: "small dim" }, String(step.number)));
    });
    chart.append(e("line", { x1: left, x2: W, y1: bottom, y2: bottom, class: "axis dashed" }), e("line", { x1: left, x2: W, y1: bottom + bars, y2: bottom + bars, class: "axis" }),
      e("text", { x: 2, y: bottom + 5, class: "small dim" }, `${this.blocks} blocks`), e("text", { x: 2, y: H - 6, class: "small dim" }, "pass"));
    look.replace(this.picture, chart);
  }
};
