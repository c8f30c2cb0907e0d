// The logit lens: what the model would say next, were each layer the last one; beside it what the stories' grammar says.
"use strict";

look.LensPart = class {
  constructor() {
    this.root = look.element("div");
    this.draw();
  }

  draw() {
    const e = look.element, data = look.data, { position } = look.selected, L = data.inside.config.layers;
    const follows = position + 1 < look.tokens().length ? look.tokens()[position + 1] : null;
    const cell = ([id, p]) => e("td", { style: { "--share": p } }, e("span", { class: "mono" }, look.label(id)), e("small", {}, look.share(p)));
    const row = (name, top, next) => e("tr", {}, e("th", { scope: "row" }, name), top.slice(0, 5).map(cell),
      Array.from({ length: Math.max(5 - top.length, 0) }, () => e("td")), follows !== null && e("td", { class: "next" }, next === null ? "" : look.share(next)));
    const story = data.story && data.story[position];
    look.replace(this.root,
      e("p", {}, "The last norm and the head, on the stream as it is after each layer, at ", e("b", {}, look.labelAt(position)), ". ",
        follows === null ? "" : ["The last column is what it gives to the token that follows, ", e("b", {}, look.label(follows)), "."]),
      e("div", { class: "scroll" }, e("table", { class: "lens" },
        e("thead", {}, e("tr", {}, e("th", { scope: "col" }, "after"), ["1st", "2nd", "3rd", "4th", "5th"].map((name) => e("th", { scope: "col" }, name)), follows !== null && e("th", { scope: "col" }, "follows"))),
        e("tbody", {}, Array.from({ length: L + 1 }, (_, i) => row(i === 0 ? "embedding" : `layer ${i - 1}`, data.lens[i][position].top, data.lens[i][position].next)),
          story && row("grammar", story.top, story.next)))),
      story ? e("p", {}, `The grammar that wrote the stories says exactly what may come next and how often: ${look.text(story.entropy)} bits are left open. `,
        `The model is ${look.text(story.divergence)} bits away from it (the divergence of its distribution from the grammar's).`)
        : e("p", { class: "dim" }, "This text is no beginning of a built-in story, so there is no exact distribution to compare with."));
  }
};
