// The dialog that a number opens: what it is, its formula with the chapter, and what it came from, which opens in turn.
"use strict";

(() => {
  const shown = 8;  // terms of a sum
  const trail = [];
  const e = look.element;

  // A number that opens, if it is known what it is.
  const link = (at, text) => (at ? look.button(text, () => look.open(at), { class: "number" }) : e("span", { class: "number" }, text));

  const where = (at) => {
    const layer = at.layer === null || at.layer === undefined ? "" : `layer ${at.layer}, `;
    return `${layer}${look.kinds[at.kind].place(at)}, at ${look.labelAt(at.position)}`;
  };

  function sumTable(terms, sum, sumName) {
    const products = terms.list.map((term) => ({ ...term, product: term.factors[0] * term.factors[1] }));
    products.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    const rest = products.slice(shown).reduce((all, term) => all + term.product, 0);
    const numbers = (...cells) => cells.map((cell) => e("td", {}, cell));
    return e("table", {}, e("caption", {}, `${terms.caption}: the largest of ${products.length} products`),
      e("thead", {}, e("tr", {}, ["", "number", "times", "product"].map((name) => e("th", { scope: "col" }, name)))),
      e("tbody", {}, products.slice(0, shown).map((term) => e("tr", {}, e("th", { scope: "row" }, term.label),
        numbers(link(term.open, look.text(term.factors[0])), look.text(term.factors[1]), look.text(term.product)))),
      products.length > shown && e("tr", {}, e("th", { scope: "row" }, `${products.length - shown} others`), numbers("", "", look.text(rest)))),
      e("tfoot", {}, e("tr", {}, e("th", { scope: "row" }, `sum: ${sumName}`), numbers("", "", look.text(sum)))));
  }

  function show(at) {
    const kind = look.kinds[at.kind], from = kind.from(at), dialog = document.getElementById("number");
    const lessons = kind.chapters.flatMap((chapter, i) => [i ? ", " : "", look.lesson(chapter)]);
    look.replace(dialog,
      e("header", {}, e("h2", { id: "number-title" }, kind.title),
        trail.length > 1 && look.button("Back", () => { trail.pop(); show(trail[trail.length - 1]); }),
        look.button("Close", () => dialog.close())),
      e("p", { class: "dim" }, where(at)),
      e("p", { class: "large" }, look.text(look.valueOf(at))),
      e("p", {}, e("span", { class: "formula" }, kind.formula), e("br"), e("span", { class: "dim" }, "Explained in "), lessons),
      from.inputs && e("dl", {}, from.inputs.filter(Boolean).map((number) =>
        e("div", {}, e("dt", {}, number.label), e("dd", {}, link(number.open, look.text(number.value)))))),
      from.terms && sumTable(from.terms, from.sum, from.sumName),
      (from.strips || []).map((strip) => look.tensorStrip(strip.kind, strip.layer, strip.position)),
      (from.notes || []).map((note) => e("p", { class: "dim" }, note)));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  look.open = function (at) {
    const dialog = document.getElementById("number");
    if (!dialog.open) trail.length = 0;
    trail.push(at);
    show(at);
  };
})();
