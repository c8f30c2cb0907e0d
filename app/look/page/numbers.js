// What each number of the page is: its chapter, its formula, and the numbers that it was made of. Nothing of the model is
// computed here: values come from its forward pass, and are only shown with what went into them.
"use strict";

(() => {
  const config = () => look.data.inside.config;
  const row = (kind, layer, position) => look.tensors.row(kind, layer, position);
  const value = (at) => row(at.kind, at.layer, at.position)[at.index];
  const input = (kind, at, index) => ({
    label: `${look.kinds[kind].title}, channel ${index}`, value: row(kind, at.layer, at.position)[index],
    open: { kind, layer: at.layer, position: at.position, index },
  });

  // The products of a row of a weight with a vector of the same position, of which the number is the sum.
  const product = (kind, at, weight, weightName, index) => {
    const x = row(kind, at.layer, at.position), w = look.tensors.weights(weight, at.layer, index, x.length);
    return {
      strips: [{ kind, layer: at.layer, position: at.position }],
      terms: w && {
        caption: `${look.kinds[kind].title} times row ${index} of ${weightName}`,
        list: Array.from(x, (number, i) => ({
          label: `channel ${i}`, factors: [number, w[i]], open: { kind, layer: at.layer, position: at.position, index: i },
        })),
      },
      notes: w ? [] : [`Row ${index} of ${weightName} is not in this page: the model has too many weights, or they are packed.`],
    };
  };

  // `layer`: of what is normed; the last norm's weight belongs to none.
  const norm = (from, weight, layer = (at) => at.layer) => (at) => {
    const read = { ...at, layer: layer(at) };
    const x = row(from, read.layer, at.position), g = look.tensors.weights(weight, at.layer, 0, x.length);
    const rms = Math.sqrt(x.reduce((sum, n) => sum + n * n, 0) / x.length + config().eps);
    return {
      inputs: [input(from, read, at.index), { label: "root mean square of all channels", value: rms },
        g && { label: `weight g of channel ${at.index}`, value: g[at.index] }],
      strips: [{ kind: from, layer: read.layer, position: at.position }],
    };
  };

  const channel = (at) => `channel ${at.index}`;
  const ofHead = (at) => `head ${Math.floor(at.index / config().headDim)}, channel ${at.index % config().headDim}`;

  // Before RoPE: the pair turned back by the same angle.
  look.unturned = function (kind, layer, position, index) {
    const D = config().headDim, d = index % D, first = index - d;
    const pair = config().interleaved ? d >> 1 : d % (D / 2);
    const [a, b] = config().interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + D / 2];
    const x = row(kind, layer, position), cos = row("cosine", null, position)[pair], sin = row("sine", null, position)[pair];
    const [turnedA, turnedB] = [x[first + a], x[first + b]];
    return { pair, a: first + a, b: first + b, turnedA, turnedB, cos, sin, plainA: turnedA * cos + turnedB * sin, plainB: turnedB * cos - turnedA * sin };
  };
  const rotated = (weight, weightName) => (at) => {
    const turn = look.unturned(at.kind, at.layer, at.position, at.index);
    const made = product("attention_norm", at, weight, weightName, at.index);
    const other = at.index === turn.a ? turn.b : turn.a;
    return {
      ...made,
      inputs: [
        { label: `a = channel ${turn.a} before RoPE: the sum of the products below, if that is channel ${at.index}`, value: turn.plainA },
        { label: `b = channel ${turn.b} before RoPE`, value: turn.plainB },
        { label: `cos of position ${at.position} times the frequency of pair ${turn.pair}`, value: turn.cos },
        { label: "sin of the same angle", value: turn.sin },
        input(at.kind, at, other),
      ],
      sum: at.index === turn.a ? turn.plainA : turn.plainB,
      sumName: `channel ${at.index} before RoPE`,
    };
  };
  const plainProduct = (from, weight, weightName) => (at) => ({ ...product(from, at, weight, weightName, at.index), sum: value(at), sumName: "this number" });
  const added = (stream, from, weight, weightName) => (at) => ({
    ...product(from, at, weight, weightName, at.index),
    inputs: [input(stream, at, at.index)],
    sum: value(at) - row(stream, at.layer, at.position)[at.index],
    sumName: "what is added to the stream",
  });

  look.kinds = {
    embedding: {
      title: "embedding", chapters: ["02"], formula: "x = E[token], a row of the table of embeddings", place: channel,
      from: (at) => ({ notes: [`The token is ${look.label(look.tokens()[at.position])}, number ${look.tokens()[at.position]}: the row of E.`] }),
    },
    input: {
      title: "residual stream on entry", chapters: ["08"], formula: "what the layer before left, or the embedding", place: channel,
      from: (at) => ({
        inputs: [input(at.layer === 0 ? "embedding" : "output", { ...at, layer: at.layer === 0 ? null : at.layer - 1 }, at.index)],
      }),
    },
    attention_norm: {
      title: "normed for attention", chapters: ["03"], formula: "n = g · x / √(mean(x²) + ε)", place: channel, from: norm("input", "attention_norm"),
    },
    query: { title: "query", chapters: ["02", "04"], formula: "q = Wq n, then each pair (a, b) becomes (a cos − b sin, a sin + b cos)", place: ofHead, from: rotated("query", "Wq") },
    key: { title: "key", chapters: ["02", "04"], formula: "k = Wk n, then each pair (a, b) becomes (a cos − b sin, a sin + b cos)", place: ofHead, from: rotated("key", "Wk") },
    value: { title: "value", chapters: ["02"], formula: "v = Wv n", place: ofHead, from: plainProduct("attention_norm", "value", "Wv") },
    log_sum_exp: { title: "log Σ exp of the scores", chapters: ["05"], formula: "log Σ exp(q·k / √Dh) over the keys that are seen", place: (at) => `head ${at.index}`, from: () => ({}) },
    weight: {
      title: "attention weight", chapters: ["05"], formula: "p = exp(q·k / √Dh − log Σ exp)",
      place: (at) => `head ${at.head}, of ${look.labelAt(at.key)}`,
      value: (at) => look.attentionWeight(at.layer, at.head, at.position, at.key),
      from: (at) => {
        const c = config(), group = Math.floor(at.head / (c.heads / c.kvHeads)), D = c.headDim;
        const q = row("query", at.layer, at.position), k = row("key", at.layer, at.key);
        const list = Array.from({ length: D }, (_, d) => ({
          label: `channel ${d}`, factors: [q[at.head * D + d], k[group * D + d]],
          open: { kind: "query", layer: at.layer, position: at.position, index: at.head * D + d },
        }));
        const score = list.reduce((sum, term) => sum + term.factors[0] * term.factors[1], 0);
        return {
          inputs: [{ label: "score q·k / √Dh", value: score / Math.sqrt(D) },
            { label: "log Σ exp of all scores of this query", value: row("log_sum_exp", at.layer, at.position)[at.head] }],
          terms: { caption: `query of ${look.labelAt(at.position)} times key of ${look.labelAt(at.key)}, key head ${group}`, list }, sum: score, sumName: "q·k",
        };
      },
    },
    attended: {
      title: "what the heads attended to", chapters: ["05"], formula: "Σ p[s] v[s] over the positions s that are seen", place: ofHead,
      from: (at) => {
        const c = config(), head = Math.floor(at.index / c.headDim), group = Math.floor(head / (c.heads / c.kvHeads));
        const index = group * c.headDim + at.index % c.headDim;
        const list = Array.from({ length: at.position + 1 }, (_, s) => ({
          label: look.labelAt(s), factors: [look.attentionWeight(at.layer, head, at.position, s), row("value", at.layer, s)[index]],
          open: { kind: "weight", layer: at.layer, head, position: at.position, key: s },
        }));
        return { terms: { caption: "attention weight times value", list }, sum: value(at), sumName: "this number" };
      },
    },
    middle: { title: "residual stream after attention", chapters: ["08"], formula: "x + Wo a", place: channel, from: added("input", "attended", "output", "Wo") },
    feed_forward_norm: {
      title: "normed for feed-forward", chapters: ["03"], formula: "n = g · x / √(mean(x²) + ε)", place: channel, from: norm("middle", "feed_forward_norm"),
    },
    gate: { title: "gate", chapters: ["02", "07"], formula: "Wgate n", place: channel, from: plainProduct("feed_forward_norm", "gate", "Wgate") },
    up: { title: "up", chapters: ["02", "07"], formula: "Wup n", place: channel, from: plainProduct("feed_forward_norm", "up", "Wup") },
    gated: {
      title: "gated", chapters: ["07"], formula: "silu(gate) · up, where silu(x) = x / (1 + exp(−x))", place: channel,
      from: (at) => ({ inputs: [input("gate", at, at.index), input("up", at, at.index)] }),
    },
    output: { title: "residual stream after the layer", chapters: ["08"], formula: "x + Wdown h", place: channel, from: added("middle", "gated", "down", "Wdown") },
    normed: {
      title: "last norm", chapters: ["03"], formula: "n = g · x / √(mean(x²) + ε)", place: channel,
      from: norm("output", "norm", () => config().layers - 1),
    },
    logit: {
      title: "logit", chapters: ["08"], formula: "n · the token's row of the head", place: (at) => `of ${look.label(at.token)}`,
      value: (at) => { const next = look.next(at.position); return next.logits[next.ids.indexOf(at.token)]; },
      from: (at) => ({ ...product("normed", { ...at, layer: null }, "head", config().tied ? "the embedding, which is the head too" : "the head", at.token), sum: look.kinds.logit.value(at), sumName: "this number" }),
    },
    probability: {
      title: "probability of a token", chapters: ["09"], formula: "exp(logit − log Σ exp of all logits)", place: (at) => `of ${look.label(at.token)}`,
      value: (at) => { const next = look.next(at.position); return next.p[next.ids.indexOf(at.token)]; },
      from: (at) => ({
        inputs: [{ label: "its logit", value: look.kinds.logit.value(at), open: { ...at, kind: "logit" } }, { label: "log Σ exp of all logits", value: look.next(at.position).logSumExp }],
      }),
    },
  };
  look.valueOf = (at) => (look.kinds[at.kind].value || value)(at);
})();
