// Puts the views on the page, and shows the one that the address names. From a server the page has a field for the text
// and a chat; as files, and beside a run, the views that it has data for.
"use strict";

(() => {
  const needs = { tokens: "tokenizers", inside: "inside", sampling: "next", training: "training" };
  const ofText = ["tokens", "inside", "sampling"];
  const views = look.server ? [...ofText, "chat"] : Object.keys(needs).filter((view) => lookData[needs[view]]);
  const section = (name) => document.getElementById("view-" + name);
  let chat = null;

  function route() {
    const name = views.includes(location.hash.slice(1)) ? location.hash.slice(1) : views[0];
    for (const view of document.querySelectorAll("main > section[id^=view-]")) view.hidden = view.id !== "view-" + name;
    document.getElementById("text-field").hidden = !look.server || !ofText.includes(name);
    for (const link of document.querySelectorAll("header nav a")) {
      link.hidden = !views.includes(link.hash.slice(1));
      if (link.hash === "#" + name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (look.showPosition) look.showPosition();
    if (chat) chat.watch(name === "chat");
    scrollTo(0, 0);
  }

  look.show = function (data) {
    look.data = data;
    look.watchers = [];
    look.repaint = [];  // what is shown of the text before would else stay in memory with all its numbers
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

  async function serve() {
    const wait = look.element("p", { class: "dim", "aria-live": "polite" }, "Asking the server …");
    section(views[0]).append(wait);
    try {
      const model = await look.ask("/look/model");
      look.data = { lessons: model.lessons };
      wait.remove();
      chat = new look.ChatView(section("chat"), model);
      look.textField = new look.TextField(document.getElementById("text-field"), model, (data) => new look.TokensView(section("tokens"), data));
      route();
      await look.textField.look(true);
    } catch (error) {
      wait.textContent = error.message;
      wait.className = "problem";
    }
  }

  addEventListener("hashchange", route);
  route();
  if (look.server) serve();
  else look.show(lookData);
})();
