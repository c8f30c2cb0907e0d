// What temperature and the cuts make of a distribution, in chapter 09's order: temperature, top-k, top-p, min-p, each on
// what the one before has left.
"use strict";

// `logits` in descending order; `rest`: log Σ exp of those that are not among them, or null. Gives for each what it is
// drawn with, and which cut dropped it.
look.cut = function (logits, { temperature, topK, topP, minP }, rest = null) {
  const n = logits.length, dropped = new Array(n).fill(null);
  if (temperature < 1e-5) return { p: Float64Array.from(logits, (_, i) => (i === 0 ? 1 : 0)), dropped: dropped.map((_, i) => (i ? "temperature 0" : null)), rest: 0 };
  const p = Float64Array.from(logits, (logit) => Math.exp((logit - logits[0]) / temperature));
  // Of the tokens without logits only the sum is known, and that at temperature 1 alone. A lower temperature leaves them
  // less: a bound from above on their part. A higher one leaves them more, so the view offers none where there are such.
  let others = rest === null ? 0 : Math.exp(rest - logits[0]);
  let mass = p.reduce((sum, x) => sum + x, 0) + others;
  for (let i = 0; i < n; ++i) p[i] /= mass;
  others /= mass;
  mass = 1;
  const drop = (from, why) => {
    for (let i = from; i < n; ++i) if (p[i] > 0) { p[i] = 0; dropped[i] = why; }
    others = 0;
    mass = p.reduce((sum, x) => sum + x, 0);
  };
  if (topK > 0 && topK < n) drop(topK, "top-k");
  if (topP < 1) {
    let sum = 0, count = 0;
    while (count < n && (count === 0 || sum < topP * mass)) sum += p[count++];
    if (count < n || sum >= topP * mass) drop(count, "top-p");
  }
  if (minP > 0) {
    let count = 1;
    while (count < n && p[count] >= minP * p[0]) ++count;
    if (count < n) drop(count, "min-p");
  }
  return { p: p.map((x) => x / mass), dropped, rest: others / mass };
};
