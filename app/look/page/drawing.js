// Pictures: numbers as coloured cells, and curves.
"use strict";

look.repaint = [];  // drawings that have the colours of light or dark in them
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  look.repaint = look.repaint.filter((paint) => paint());
});

look.colour = function (name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const digits = hex.length === 4 ? hex.slice(1).replace(/./g, "$&$&") : hex.slice(1);
  return [0, 2, 4].map((i) => parseInt(digits.slice(i, i + 2), 16));
};

// A canvas of one pixel for each cell; CSS makes it large. value(row, column) is in -1 … 1, or null: no cell.
look.cells = function (rows, columns, value, attributes) {
  const canvas = look.element("canvas", { width: columns, height: rows, ...attributes });
  let shown = false;
  const paint = () => {
    if (shown && !canvas.isConnected) return false;
    shown = canvas.isConnected;
    const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
    const ground = look.colour("--cell"), warm = look.colour("--warm"), cold = look.colour("--cold");
    for (let r = 0, i = 0; r < rows; ++r)
      for (let c = 0; c < columns; ++c, i += 4) {
        const v = value(r, c);
        if (v === null) continue;
        const share = Math.min(Math.abs(v), 1), to = v < 0 ? cold : warm;
        for (let k = 0; k < 3; ++k) image.data[i + k] = Math.round(ground[k] + share * (to[k] - ground[k]));
        image.data[i + 3] = 255;
      }
    context.putImageData(image, 0, 0);
    return true;
  };
  paint();
  look.repaint.push(paint);
  return canvas;
};

look.largest = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;

// Rows of label, bar and number; `rows`: [{ label, share (0 … 1), text, open?, class?, faint? }].
look.bars = function (rows, caption) {
  return look.element("ul", { class: "bars", "aria-label": caption }, rows.map((row) => {
    const fill = look.element("span", { class: "fill", style: { width: 100 * Math.min(row.share, 1) + "%" } });
    const faint = row.faint === undefined ? null
      : look.element("span", { class: "fill faint", style: { width: 100 * Math.min(row.faint, 1) + "%" } });
    const inner = [look.element("span", { class: "label" }, row.label),
      look.element("span", { class: "track", "aria-hidden": "true" }, faint, fill), look.element("span", { class: "value" }, row.text)];
    return look.element("li", { class: row.class },
      row.open ? look.element("button", { type: "button", on: { click: row.open } }, inner) : look.element("div", {}, inner));
  }));
};

// A round number beside an axis, as short as it goes.
look.tick = function (number) {
  const size = Math.abs(number), rounded = Number(number.toPrecision(4));
  return (size > 0 && (size < 1e-3 || size >= 1e6) ? rounded.toExponential() : String(rounded)).replace(/-/g, "\u2212");
};

// A chart of curves: [{ name, points: [[x, y] …], class }], with axes that say what they are.
look.chart = function ({ curves, title, x, y, marks, height }) {
  const W = innerWidth < 640 ? 360 : 640, H = height || 260, left = 52, right = 12, top = 26, bottom = 40;
  const points = curves.flatMap((curve) => curve.points);
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const range = (values, given) => given || [Math.min(...values), Math.max(...values)];
  const [x0, x1] = range(xs, x.range), [y0, y1] = range(ys, y.range);
  const atX = (v) => left + (W - left - right) * (v - x0) / (x1 - x0 || 1);
  const atY = (v) => H - bottom - (H - top - bottom) * (Math.min(Math.max(v, y0), y1) - y0) / (y1 - y0 || 1);
  const ticks = (from, to) => {
    const rough = (to - from) / (W / 100) || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
    const list = [];
    for (let v = Math.ceil(from / step - 1e-9) * step; v <= to + step * 1e-6; v += step) list.push(Math.abs(v) < step * 1e-6 ? 0 : v);
    return list;
  };
  const e = look.element;
  const chart = e("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": title });
  for (const v of ticks(y0, y1))
    chart.append(e("line", { x1: left, x2: W - right, y1: atY(v), y2: atY(v), class: "grid" }),
      e("text", { x: left - 6, y: atY(v) + 4, "text-anchor": "end" }, look.tick(v)));
  for (const v of x.ticks || ticks(x0, x1))
    chart.append(e("text", { x: atX(v), y: H - bottom + 18, "text-anchor": atX(v) > W - 28 ? "end" : "middle" }, x.name ? x.name(v) : look.tick(v)));
  chart.append(e("line", { x1: left, x2: W - right, y1: H - bottom, y2: H - bottom, class: "axis" }),
    e("text", { x: W - right, y: H - 6, "text-anchor": "end", class: "dim" }, x.label),
    e("text", { x: 4, y: 14, class: "dim" }, y.label));
  for (const curve of curves)
    chart.append(curve.dots
      ? e("g", { class: curve.class }, curve.points.map((p) => e("circle", { cx: atX(p[0]), cy: atY(p[1]), r: 3.5 })))
      : e("polyline", { class: "curve " + curve.class, points: curve.points.map((p) => `${atX(p[0]).toFixed(1)},${atY(p[1]).toFixed(1)}`).join(" ") }));
  if (marks) chart.append(...marks(atX, atY, { left, right: W - right, top, bottom: H - bottom }));
  return chart;
};

look.legend = (names) => look.element("p", { class: "legend" }, names.map(([name, style]) =>
  look.element("span", {}, look.element("span", { class: "key " + style, "aria-hidden": "true" }), name)));
