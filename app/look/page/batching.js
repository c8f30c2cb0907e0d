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
    matchMedia("(max-width: 40rem)").addEventListener("change", () => this.draw());
    this.draw();
  }

  // Asks for what is new; `on`: from now on, several times a second.
  watch(on) {
    clearTimeout(this.timer);
    this.on = on;
    if (on && !this.asking) this.poll();  // else what is asked already goes on
  }

  async poll() {
    let pause = 3000;
    this.asking = true;
    try {
      const answer = await look.ask("/look/steps?after=" + this.last);
      if (answer.last < this.last) this.steps = [];  // another server by now
      this.last = answer.last;
      this.blocks = answer.blocks;
      const steps = answer.steps.filter((step) => step.parts.length || step.preempted.length);  // others only let go
      if (steps.length) {
        this.steps = [...this.steps, ...steps].slice(-400);
        this.slider.max = this.steps.length;
        if (this.follows) this.slider.value = this.steps.length;
        this.control.hidden = false;
        this.draw();
      }
      pause = document.hidden ? 3000 : 400;
    } catch (error) {
      this.reading.textContent = error.message;
      if (error.status === 401) this.on = false;
    }
    this.asking = false;
    if (this.on) this.timer = setTimeout(() => this.poll(), pause);
  }

  draw() {
    const end = Number(this.slider.value), columns = innerWidth < 640 ? 14 : 28;
    const steps = this.steps.slice(Math.max(end - columns, 0), end), now = steps[steps.length - 1];
    if (!now) {
      this.reading.textContent = "Nothing has run yet.";
      return;
    }
    const some = look.count, texts = [...new Set(steps.flatMap((step) => [...step.parts.map((part) => part[0]), ...step.preempted]))].sort((a, b) => a - b);
    const sum = (value) => now.parts.reduce((all, part) => all + value(part), 0), isRead = look.BatchingPart.isRead;
    this.reading.textContent = `Pass ${now.number}: ${some(now.parts.length, "text")}, ${some(sum((part) => (isRead(part, now) ? part[1] : 0)), "position")} read and ` +
      `${some(sum((part) => part[2]), "token")} drawn in ${look.text(1000 * now.seconds)} ms; ${now.fromPrefix ? some(now.fromPrefix, "position") + " more found in the cache; " : ""}${now.blocksUsed} of ${this.blocks} blocks in use, ${now.blocksShared} of them shared; ${now.waiting} waiting.` +
      (texts.length > look.BatchingPart.most ? ` Of ${texts.length} texts the chart has the ${look.BatchingPart.most} newest.` : "");
    this.slider.setAttribute("aria-valuetext", `pass ${now.number}`);
    look.replace(this.picture, this.chart(steps, columns, texts.slice(-look.BatchingPart.most)));
  }

  chart(steps, columns, texts) {
    const e = look.element, W = columns > 14 ? 640 : 360, left = 64;
    const row = 24, top = 8, column = (W - left - 4) / columns, bottom = top + row * texts.length + 16, bars = 46, H = bottom + bars + 22;
    const chart = e("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": `Passes ${steps[0].number} to ${steps[steps.length - 1].number}: who computes how many positions in each` });
    const at = (id) => top + row * texts.indexOf(id), text = (x, y, anchor, style, words) => e("text", { x, y, "text-anchor": anchor, class: style }, words);
    // Of a large cache a part, so that what is in use can be seen.
    const used = Math.max(...steps.map((step) => step.blocksUsed)), most = 4 * used < this.blocks ? Math.max(2 ** Math.ceil(Math.log2(used || 1)), 4) : this.blocks;
    for (const id of texts)
      chart.append(text(2, at(id) + 16, "start", "dim", "text " + id), e("line", { x1: left, x2: W, y1: at(id) + row - 1, y2: at(id) + row - 1, class: "grid" }));
    steps.forEach((step, i) => {
      const x = left + column * i, middle = x + column / 2;
      for (const part of step.parts.filter((one) => texts.includes(one[0]))) {
        const y = at(part[0]), ends = step.finished.includes(part[0]);
        if (look.BatchingPart.isRead(part, step))
          chart.append(e("rect", { x: x + 1, y: y + 3, width: column - 2, height: row - 7, rx: 3, class: "read" }), text(middle, y + 16, "middle", "small", String(part[1])));
        else chart.append(e("circle", { cx: middle, cy: y + row / 2 - 1, r: 4.5, class: part[2] ? "drawn" : "end" }));
        if (ends) chart.append(e("line", { x1: x + column - 1, x2: x + column - 1, y1: y + 3, y2: y + row - 4, class: "ended" }));
      }
      for (const id of step.preempted.filter((one) => texts.includes(one))) chart.append(text(middle, at(id) + 16, "middle", "small out", "out"));
      const height = Math.max(bars * step.blocksUsed / most, step.blocksUsed ? 1.5 : 0), anchor = i === 0 ? "start" : i === columns - 1 ? "end" : "middle";
      chart.append(e("rect", { x: x + 1, y: bottom + bars - height, width: column - 2, height, class: "blocks" }));
      if (i % 7 === 0 || i === columns - 1) chart.append(text(anchor === "start" ? x : anchor === "end" ? x + column : middle, H - 6, anchor, "small dim", String(step.number)));
    });
    chart.append(e("line", { x1: left, x2: W, y1: bottom, y2: bottom, class: "axis dashed" }), e("line", { x1: left, x2: W, y1: bottom + bars, y2: bottom + bars, class: "axis" }),
      text(2, bottom + 5, "start", "small dim", `${most} blocks`), text(2, H - 6, "start", "small dim", "pass"));
    return chart;
  }
};

look.BatchingPart.most = 12;  // texts

// Whether a text read some of its prompt, or did so again after it was thrown out; else it drew its next token.
look.BatchingPart.isRead = ([id, positions, drawn], step) => positions > 1 || !drawn && !step.finished.includes(id);
