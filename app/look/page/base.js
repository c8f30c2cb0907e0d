// The page's one global name, and what all of it uses: elements, numbers as text, bytes as text, what is selected.
"use strict";

var look = {};

// An element with attributes and children. Text is never read as HTML, as it may come from anybody.
look.element = function (name, attributes, ...children) {
  const svg = look.svgNames.has(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (key === "style") for (const [property, css] of Object.entries(value)) made.style.setProperty(property, css);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};
look.svgNames = new Set(["svg", "g", "rect", "line", "path", "circle", "text", "title", "polyline", "marker", "defs"]);

look.button = (text, press, attributes) =>
  look.element("button", { type: "button", ...attributes, on: { click: press } }, text);

look.replace = (parent, ...children) => parent.replaceChildren(...children.flat(Infinity).filter((child) => child));

// A number with four digits that count.
look.text = function (number) {
  if (!Number.isFinite(number)) return String(number);
  if (number === 0) return "0";
  const size = Math.abs(number);
  return (size < 1e-4 || size >= 1e6 ? number.toExponential(3) : Number(number.toPrecision(4)).toString())
    .replace("-", "\u2212");
};
look.count = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
look.share = (p) => (p >= 0.0995 ? (100 * p).toFixed(0) : p >= 0.00095 ? (100 * p).toFixed(1) : p > 0 ? "<0.1" : "0") + "\u202f%";

look.bytes = (hexadecimal) => Uint8Array.from(hexadecimal.match(/../g) || [], (pair) => parseInt(pair, 16));

// Bytes as text: what is no character, or none that can be seen, as its number.
look.visible = function (hexadecimal) {
  const bytes = look.bytes(hexadecimal);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [...bytes].map((b) => (b > 32 && b < 127 ? String.fromCharCode(b) : "\\x" + b.toString(16).padStart(2, "0"))).join("");
  }
  return text.replace(/ /g, "·").replace(/\n/g, "⏎")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
};

// A token of the model as a label.
look.label = function (id) {
  const data = look.data;
  if (id === data.begin) return "begin";
  if (data.ends.includes(id)) return "end";
  const piece = data.pieces[id];
  return piece === undefined ? "#" + id : look.visible(piece);
};
look.labelAt = (position) => `${look.label(look.tokens()[position])} (${position})`;
look.tokens = () => look.data.tokenizers[0].tokens;

// Gives the focus to the first of these that can have it, if nothing else has: what is switched off while a server is
// asked loses it.
look.focusAgain = function (...elements) {
  if (document.activeElement === document.body) elements.find((one) => one && one.isConnected && !one.disabled)?.focus({ preventScroll: true });
};

// What is selected, for all views; who shows it is called when it changes.
look.selected = { position: 0, layer: 0, head: 0, column: null };
look.watchers = [];
look.select = function (change) {
  Object.assign(look.selected, change);
  for (const watcher of look.watchers) watcher(change);
};

look.lessonNames = {
  "01": "01-bpe", "02": "02-linear", "03": "03-rmsnorm", "04": "04-rope", "05": "05-attention", "07": "07-swiglu",
  "08": "08-llama", "09": "09-sampling", 11: "11-pretraining", 12: "12-open-weights", 22: "22-serving",
};
// A link to a chapter's lesson, or its name where the page does not know where the lessons are.
look.lesson = function (chapter) {
  const name = look.lessonNames[chapter], lessons = look.data.lessons;
  const text = `chapter ${name.replace("-", " ")}`;
  if (!lessons) return look.element("span", {}, text);
  return look.element("a", { href: lessons.folder + name + "/" + lessons.file }, text);
};

// The tokens as a row of buttons, one of which is the position that is looked at.
look.positionBar = function () {
  const bar = look.element("div", { class: "positions", role: "group", "aria-label": "The position that is looked at" });
  const buttons = look.tokens().map((id, position) =>
    look.button(look.label(id), () => look.select({ position }), { class: "token" }));
  const show = () => buttons.forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === look.selected.position));
    button.tabIndex = i === look.selected.position ? 0 : -1;
    if (i === look.selected.position) bar.scrollTop = button.offsetTop - bar.clientHeight / 2;
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const position = Math.min(Math.max(look.selected.position + step, 0), buttons.length - 1);
    look.select({ position });
    buttons[position].focus();
  });
  bar.append(...buttons);
  look.watchers.push(show);
  look.showPosition = show;  // again when the bar comes into view, as only then it has a place to scroll to
  show();
  return bar;
};
