// Puts the views on the page that it has data for, and shows the one that the address names.
"use strict";

(() => {
  const needs = { tokens: "tokenizers", inside: "inside", sampling: "next", training: "training" };
  let views = [];

  function route() {
    const name = views.includes(location.hash.slice(1)) ? location.hash.slice(1) : views[0];
    for (const view of Object.keys(needs)) document.getElementById("view-" + view).hidden = view !== name;
    for (const link of document.querySelectorAll("header nav a")) {
      if (link.hash === "#" + name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (look.showPosition) look.showPosition();
    scrollTo(0, 0);
  }

  look.show = function (data) {
    look.data = data;
    look.watchers = [];
    views = Object.keys(needs).filter((view) => data[needs[view]]);
    for (const link of document.querySelectorAll("header nav a")) link.hidden = !views.includes(link.hash.slice(1));
    if (data.inside) {
      look.tensors = new look.Tensors(data.inside, look.tokens().length);
      look.selected = { position: look.tokens().length - 1, layer: 0, head: 0 };
    }
    const made = { tokens: look.TokensView, inside: look.InsideView, sampling: look.SamplingView, training: look.TrainingView };
    for (const view of views) new made[view](document.getElementById("view-" + view), data);
    route();
  };

  addEventListener("hashchange", route);
  look.show(lookData);
})();
