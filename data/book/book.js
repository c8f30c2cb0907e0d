// The contents that fold away on a narrow screen, and the search. Everything else works without scripts.
"use strict";
const root = document.body.dataset.root;

const menu = document.getElementById("menu"), contents = document.getElementById("contents");
menu.hidden = false;
contents.classList.add("folded");
menu.addEventListener("click", () => {
  menu.setAttribute("aria-expanded", String(!contents.classList.toggle("folded")));
});

const form = document.getElementById("search"), input = form.querySelector("input"), list = form.querySelector("ul");
form.hidden = false;

// The index is loaded when somebody begins to search: a script, as pages on the disk may load nothing else.
let loading = null;
function loadIndex() {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = root + "index.js";
    script.onload = () => resolve(searchIndex.map(([url, page, heading, text]) =>
      ({url, page, heading, text, title: page.toLowerCase(), head: heading.toLowerCase(), body: text.toLowerCase()})));
    document.head.append(script);
  });
  return loading;
}

// Every word has to be there. One in the section's heading counts as twenty in the text, in the page's as ten.
function score(section, words) {
  let sum = 0;
  for (const word of words) {
    const times = section.body.split(word).length - 1;
    const here = 20 * section.head.includes(word) + 10 * section.title.includes(word) + Math.min(times, 9);
    if (!here) return 0;
    sum += here;
  }
  return sum;
}

function snippet(section, word) {
  const at = section.body.indexOf(word), p = document.createElement("span");
  if (at < 0) return p;
  const begin = Math.max(0, at - 50), mark = document.createElement("mark");
  mark.textContent = section.text.slice(at, at + word.length);
  p.append((begin ? "…" : "") + section.text.slice(begin, at), mark,
           section.text.slice(at + word.length, at + word.length + 90) + "…");
  return p;
}

input.addEventListener("input", async () => {
  const index = await loadIndex();  // then what is there by now
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren();
  if (!words.length) return;
  const found = index.map((section) => ({section, score: score(section, words)})).filter((hit) => hit.score)
    .sort((a, b) => b.score - a.score).slice(0, 12);
  for (const {section} of found) {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = root + section.url;
    link.textContent = section.heading === section.page ? section.page : section.page + ": " + section.heading;
    link.addEventListener("click", () => list.replaceChildren());
    item.append(link, snippet(section, words[0]));
    list.append(item);
  }
  if (!found.length) list.append(Object.assign(document.createElement("li"), {textContent: "Nothing found"}));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  list.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") list.replaceChildren();
  if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
});
