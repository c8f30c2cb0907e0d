// A vector as a strip of cells, of which each number can be read and opened, by pointer or keys.
"use strict";

// `vector`: the numbers; `open(i)`: what pressing one does; `name`: what the strip is, for those who do not see it.
look.strip = function (vector, name, open, signed = true) {
  const count = vector.length, columns = Math.min(count, 128), rows = Math.ceil(count / columns), most = look.largest(vector);
  const canvas = look.cells(rows, columns, (r, c) => (r * columns + c < count ? vector[r * columns + c] / most : null), { "aria-hidden": "true" });
  const cursor = look.element("span", { class: "cursor", "aria-hidden": "true" });
  const reading = look.element("output", { class: "reading" });
  const cells = look.element("div", {
    class: "cells", tabindex: 0, role: "slider", "aria-label": name + ": Enter opens the number",
    "aria-valuemin": 0, "aria-valuemax": count - 1, style: { "--rows": rows },
  }, canvas, cursor);
  let at = 0;
  const move = (to) => {
    at = Math.min(Math.max(to, 0), count - 1);
    const text = `${at}: ${look.text(vector[at])}`;
    reading.textContent = text;
    cells.setAttribute("aria-valuenow", at);
    cells.setAttribute("aria-valuetext", text);
    cursor.style.left = 100 * (at % columns) / columns + "%";
    cursor.style.top = 100 * Math.floor(at / columns) / rows + "%";
    cursor.style.width = 100 / columns + "%";
    cursor.style.height = 100 / rows + "%";
  };
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const c = Math.floor((event.clientX - box.left) / box.width * columns), r = Math.floor((event.clientY - box.top) / box.height * rows);
    return Math.min(Math.max(r, 0), rows - 1) * columns + Math.min(Math.max(c, 0), columns - 1);
  };
  cells.addEventListener("pointermove", (event) => move(under(event)));
  cells.addEventListener("click", (event) => { move(under(event)); open(at); });
  cells.addEventListener("keydown", (event) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: count - 1 }[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" || event.key === " ") open(at);
    else return;
    event.preventDefault();
  });
  move(0);
  return look.element("div", { class: "strip" },
    look.element("p", {}, look.element("span", {}, name), look.element("span", { class: "dim" }, ` ${count} numbers, norm ${look.text(look.norm(vector))}`), reading), cells);
};

// The strip of a tensor's row at the selected position.
look.tensorStrip = function (kind, layer, position, name) {
  return look.strip(look.tensors.row(kind, layer, position), name || look.kinds[kind].title,
    (i) => look.open({ kind, layer, position, index: i }));
};
