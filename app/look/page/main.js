// Puts the views on the page that it has data for, and shows the one that the address names.
"use strict";

(() => {
  const needs = { tokens: "tokenizers", inside: "inside", sampling: "next", training: "training" };
  const views = Object.keys(needs).filter((view) => lookData[needs[view]]);

  function route() {
    const name = views.includes(location.hash.slice(1)) ? location.hash.slice(1) : views[0];
    for (const view of document.querySelectorAll("main > section[id^=view-]")) view.hidden = view.id !== "view-" + name;
    for (const link of document.querySelectorAll("header nav a")) {
      link.hidden = !views.includes(link.hash.slice(1));
      if (link.hash === "#" + name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (look.showPosition) look.showPosition();
    scrollTo(0, 0);
  }

  look.show = function (data) {
    look.data = data;
    look.watchers = [];
    const section = (name) => document.getElementById("view-" + name);
    if (data.inside) {
      look.tensors = new look.Tensors(data.inside, look.tokens().length);
      look.selected = { position: look.tokens().length - 1, layer: 0, head: 0 };
      new look.TokensView(section("tokens"), data);
      new look.InsideView(section("inside"), data);
      new look.SamplingView(section("sampling"), data);
    }
    if (data.training) new look.TrainingView(section("training"), data);
    if (look.showPosition) look.showPosition();
  };

  addEventListener("hashchange", route);
  route();
  look.show(lookData);
})();
