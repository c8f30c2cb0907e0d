// The model's numbers: a tensor is { width, at(position) }, its rows are typed arrays over the data as it came.
"use strict";

look.decode = function (base64, Type) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return new Type(bytes.buffer);
};

look.Tensors = class {
  constructor(inside, positions) {
    this.inside = inside;
    this.positions = positions;
    this.decoded = new Map();
  }

  // The row of a tensor at a position. `name` is as in the C++: "query" of a layer, or "embedding", "normed", …
  row(name, layer, position) {
    if (name === "input") return layer === 0 ? this.row("embedding", null, position) : this.row("output", layer - 1, position);
    const all = this.all(name, layer), width = all.length / this.positions;
    return all.subarray(position * width, (position + 1) * width);
  }

  all(name, layer) {
    const key = `${layer}.${name}`;
    if (!this.decoded.has(key)) {
      const from = layer === null || layer === undefined ? this.inside.tensors : this.inside.layers[layer];
      this.decoded.set(key, look.decode(from[name], Float32Array));
    }
    return this.decoded.get(key);
  }

  // A row of a weight, or null where the page does not hold the weights.
  weights(name, layer, row, width) {
    const weights = this.inside.weights;
    if (!weights) return null;
    const key = `weights.${layer}.${name}`;
    if (!this.decoded.has(key))
      this.decoded.set(key, look.decode((layer === null ? weights : weights.layers[layer])[name], Float32Array));
    return this.decoded.get(key).subarray(row * width, (row + 1) * width);
  }
};

// p[t, s] of a head: how much of position s's value position t takes, as backward forms it (chapter 05).
look.attentionWeight = function (layer, head, t, s) {
  if (s > t) return 0;
  const c = look.data.inside.config, group = Math.floor(head / (c.heads / c.kvHeads));
  const q = look.tensors.row("query", layer, t), k = look.tensors.row("key", layer, s);
  let score = 0;
  for (let d = 0; d < c.headDim; ++d) score += q[head * c.headDim + d] * k[group * c.headDim + d];
  return Math.exp(score / Math.sqrt(c.headDim) - look.tensors.row("log_sum_exp", layer, t)[head]);
};

// What comes next: ids and logits in descending order, and their probabilities.
look.decodeNext = function (data) {
  const ids = look.decode(data.ids, Int32Array), logits = look.decode(data.logits, Float32Array);
  let sum = data.rest === null ? 0 : Math.exp(data.rest - logits[0]);
  for (const logit of logits) sum += Math.exp(logit - logits[0]);
  const logSumExp = logits[0] + Math.log(sum);
  return { ids, logits, logSumExp, rest: data.rest, p: Float64Array.from(logits, (logit) => Math.exp(logit - logSumExp)) };
};

// At a position of the text.
look.next = function (position) {
  const data = look.data.next[position];
  data.decoded ||= look.decodeNext(data);
  return data.decoded;
};

look.norm = (vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
