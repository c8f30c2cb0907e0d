// What the model reads of a conversation: the template's text as tokens, special ones among them, in the blocks of the
// cache that hold them.
"use strict";

look.ReadingPart = class {
  constructor() {
    this.note = look.element("p", { class: "dim", "aria-live": "polite" }, "Write a message to see what the model reads of it.");
    this.blocks = look.element("ol", { class: "kv-blocks", "aria-label": "Blocks of tokens" });
    this.root = look.element("div", {}, this.note, this.blocks);
    this.shown = "";
  }

  // Of these messages; the answer of an earlier question is not waited for.
  async show(messages) {
    this.asked?.abort();
    const asked = this.asked = new AbortController();
    try {
      this.draw(await look.ask("/look/chat", { messages }, { signal: asked.signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.clear(error.message);
    }
  }

  clear(note) {
    this.asked?.abort();
    this.note.textContent = note;
    this.shown = "";
    look.replace(this.blocks);
  }

  draw(data) {
    const text = JSON.stringify(data);
    if (text === this.shown) return;
    this.shown = text;
    const e = look.element, size = data.blockSize, held = data.blocks.filter(Boolean).length;
    const label = (id) => (id in data.pieces ? look.visible(data.pieces[id]) : "#" + id);
    const token = (id, i) => e("span", { class: `piece mono c${i % 4}` + (data.special.includes(id) ? " special" : ""), title: `token ${id}, position ${i}` }, label(id));
    this.note.textContent = `${look.count(data.tokens.length, "token")}, up to where the answer begins; dashed: special ones, which no text becomes. ` +
      `They fill ${look.count(data.blocks.length, "block")} of ${size}; the cache has ${held} of these, for any text that begins alike.`;
    const items = [];
    for (let begin = 0; begin < data.tokens.length; begin += size) {
      const block = data.blocks[begin / size], part = data.tokens.slice(begin, begin + size);
      const state = part.length < size ? ["open", "not full"] : !block ? ["absent", "not in the cache"]
        : block.users === 0 ? ["kept", `block ${block.id}, kept`] : ["used", `block ${block.id}, used by ${block.users}`];
      items.push(e("li", { class: "kv-block " + state[0] }, e("span", { class: "kv-name" }, state[1]), e("span", { class: "kv-tokens" }, part.map((id, i) => token(id, begin + i)))));
    }
    look.replace(this.blocks, items);
  }
};
