// Puts the views on the page, and shows the one that the address names.
"use strict";

(() => {
  const views = ["tokens", "inside", "sampling", "training"];

  function route() {
    const name = views.includes(location.hash.slice(1)) ? location.hash.slice(1) : views[0];
    for (const view of views) document.getElementById("view-" + view).hidden = view !== name;
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
    look.tensors = new look.Tensors(data.inside, look.tokens().length);
    look.selected = { position: look.tokens().length - 1, layer: 0, head: 0 };
    const section = (name) => document.getElementById("view-" + name);
    new look.TokensView(section("tokens"), data);
    new look.InsideView(section("inside"), data);
    new look.SamplingView(section("sampling"), data);
    new look.TrainingView(section("training"), data);
    look.showPosition();
  };

  addEventListener("hashchange", route);
  route();
  look.show(lookData);
})();
