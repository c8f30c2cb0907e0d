// The view of tokens: where the text falls into them, as one or two tokenizers see it, and how merges made a word.
"use strict";

look.TokensView = class {
  constructor(section, data) {
    const e = look.element;
    const bytes = data.text.length / 2;
    this.open = section.querySelector("details")?.open;
    look.replace(section, e("h2", { id: "tokens-heading" }, "Tokens"),
      e("p", {}, `A model reads no letters but tokens: pieces of bytes that it knows by number. These ${bytes} bytes are `,
        data.tokenizers.map((t) => `${t.tokens.filter((id) => id in t.pieces && !t.special.includes(id)).length} of the ${t.vocabulary} tokens of ${t.name}`).join(" and "),
        ". Press a word to see how it came together: ", look.lesson("01"), "."),
      e("div", { class: data.tokenizers.length > 1 ? "two" : "one" }, data.tokenizers.map((tokenizer) => this.tokenizer(tokenizer))));
  }

  tokenizer(tokenizer) {
    const e = look.element, steps = e("div", { class: "steps", "aria-live": "polite" });
    const label = (id) => {
      if (!(id in tokenizer.pieces)) return "#" + id;
      const text = look.visible(tokenizer.pieces[id]);
      return tokenizer.special.includes(id) ? `⟨${text}⟩` : text;
    };
    const size = (id) => (tokenizer.pieces[id] || "").length / 2;
    const buttons = tokenizer.words.map((word) => {
      const tokens = tokenizer.tokens.slice(word.from, word.to);
      const button = look.button("", () => {
        buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        look.replace(steps, this.word(tokenizer, word, label));
      }, { class: "word", "aria-pressed": "false" });
      button.append(...tokens.map((id, i) => e("span", { class: `piece c${(word.from + i) % 4}` + (tokenizer.special.includes(id) ? " special" : "") },
        e("span", { class: "mono" }, label(id)), e("span", { class: "id" }, String(id)))));
      return button;
    });
    const rows = tokenizer.tokens.map((id, i) => e("tr", {}, e("td", {}, String(i)), e("td", { class: "mono" }, label(id)), e("td", {}, String(id)),
      e("td", { class: "mono wrap" }, (tokenizer.pieces[id] || "").replace(/../g, "$& ").trim()), e("td", {}, String(size(id)))));
    const longest = tokenizer.words.reduce((best, word, i) => (word.steps.length > tokenizer.words[best].steps.length && word.steps.length < 14 ? i : best), 0);
    const article = e("article", {}, e("h3", {}, tokenizer.name),
      e("p", { class: "dim" }, `${tokenizer.tokens.length} tokens; a dot is a space; below each its number. ${tokenizer.merges} merges were learned.`),
      e("div", { class: "words" }, buttons), steps,
      e("details", { open: this.open }, e("summary", {}, "All tokens with their bytes"), e("div", { class: "scroll" }, e("table", {},
        e("thead", {}, e("tr", {}, ["", "token", "id", "bytes", "size"].map((name) => e("th", { scope: "col" }, name)))), e("tbody", {}, rows)))));
    if (buttons.length) buttons[longest].click();
    return article;
  }

  word(tokenizer, word, label) {
    const e = look.element, tokens = tokenizer.tokens.slice(word.from, word.to), text = tokens.map(label).join("");
    if (tokens.some((id) => tokenizer.special.includes(id)))
      return e("p", { class: "dim" }, `${text} is special: no text becomes it, the program puts it there.`);
    if (tokens.some((id) => !(id in tokenizer.pieces)))
      return e("p", { class: "dim" }, `${text} is a token of the model that this tokenizer does not have.`);
    if (word.steps.length === 0)
      return e("p", { class: "dim" }, `${text} did not come about by merges alone: it is in the vocabulary as a whole, or has a character that is not.`);
    const merged = (step, before) => {
      let i = 0;
      while (i < step.tokens.length && step.tokens[i] === before.tokens[i]) ++i;
      return i;
    };
    return [e("p", {}, `${text}: of all neighbours that have a merge, those go together whose merge was learned first.`),
      e("ol", { class: "merges" }, word.steps.map((step, i) => {
        const at = i ? merged(step, word.steps[i - 1]) : -1;
        const what = i ? `merge ${step.merge}` : tokenizer.pieces[step.tokens[0]].length > 2 ? "symbols" : "bytes";
        return e("li", {}, e("span", { class: "dim" }, what), e("span", { class: "symbols" }, step.tokens.map((id, t) =>
          e("span", { class: "symbol mono" + (t === at ? " fresh" : "") }, label(id)))));
      }))];
  }
};
