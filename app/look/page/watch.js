// A run that is watched: its server sends what is new of it, once a second, until it ends.
"use strict";

look.RunWatch = class {
  constructor(view) {
    const e = look.element;
    this.view = view;
    this.lines = [];
    this.status = e("p", { class: "status", role: "status" }, "Waiting for the run.");
    this.progress = e("progress", { max: 1, value: 0, "aria-label": "How much of the run is done" });
    this.left = e("span", { class: "dim" });
    this.title = e("p", { class: "dim" });
    this.root = e("div", { class: "watch" }, this.title, this.status, e("p", { class: "control" }, this.progress, this.left));
    this.source = new EventSource("training");  // asks again by itself when the server is gone
    this.source.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lose());
  }

  say(text) { if (this.status.textContent !== text) this.status.textContent = text; }

  take(news) {
    this.lines = news.whole ? news.lines : [...this.lines, ...news.lines];  // the view still has those before
    this.news = news;
    this.gone = false;
    const { state, latest, share } = news, over = state !== "running" && state !== "waiting";
    if (over) this.source.close();
    this.title.textContent = news.title;
    this.say({
      waiting: "The run has not begun: its text is being read.",
      running: "The run goes on.",
      ended: `The run has ended at step ${news.steps}.`,
      stopped: `The run was stopped at step ${news.steps}, and saved: --resume goes on with it.`,
      failed: `The run broke off at step ${news.steps}; its terminal says why.`,
    }[state]);
    this.progress.value = share;
    this.left.textContent = `${(100 * share).toFixed(0)} %` +
      (state === "running" && share > 0 && latest ? `, ${look.time(latest.seconds * (1 - share) / share)} left` : "");
    document.title = `${over ? state + " at " : ""}step ${news.steps} · ${news.name || "cria"}`;
    this.view.show({ watched: true, name: news.name, floor: news.floor, steps: news.steps, lines: this.lines, latest });
  }

  lose() {
    if (this.gone) return;
    this.gone = true;
    const step = this.news ? ` It was at step ${this.news.steps}.` : "";
    this.left.textContent = "";
    this.say(`The server is gone, and with it the run, or its connection.${step} This page asks for it again every few seconds.`);
  }
};
