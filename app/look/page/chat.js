// The view of a conversation: messages and answers as they are written; beside them what the model reads, where the cache
// has it, and what the engine does meanwhile.
"use strict";

look.ChatView = class {
  constructor(section, model) {
    const e = look.element;
    this.model = model;
    this.messages = [];  // of user and assistant
    this.reading = new look.ReadingPart();
    this.batching = new look.BatchingPart();
    const later = () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.read(), 250); };
    const field = (id, label, rows) => [e("label", { for: id }, label), e("textarea", { id, rows, autocomplete: "off", on: { input: later } })];
    const number = (id, label, attributes) => e("span", { class: "control" }, e("label", { for: id }, label), e("input", { type: "number", id, ...attributes }));
    const [systemLabel, system] = field("chat-system", "System message", 2), [questionLabel, question] = field("chat-question", "Message", 3);
    Object.assign(this, { system, question });
    question.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); } });
    this.log = e("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: 0 });
    this.note = e("p", { class: "dim", "aria-live": "polite" });
    this.sendButton = look.button("Send", () => this.send());
    this.stopButton = look.button("Stop", () => this.stop());
    this.newButton = look.button("New conversation", () => { this.messages = []; this.draw(); this.read(); });
    this.temperature = number("chat-temperature", "Temperature", { min: 0, max: 2, step: 0.1, value: model.temperature });
    this.most = number("chat-most", "Tokens at most", { min: 1, max: model.context, step: 1, value: Math.min(256, Math.floor(model.context / 2)) });
    const conversation = model.chat
      ? [e("details", {}, e("summary", {}, systemLabel), system), this.log, questionLabel, question,
        e("p", { class: "actions" }, this.sendButton, this.stopButton, this.newButton), this.note, e("div", { class: "settings" }, this.temperature, this.most)]
      : e("p", {}, `With ${model.model} one cannot talk: ${model.whyNoChat}. It still continues texts, which the timeline shows.`);
    look.replace(section, e("h2", { id: "chat-heading" }, "Chat"),
      e("p", {}, "A conversation is one text to the model, which a template makes of the messages: ", look.lesson(12), ". The server writes many texts side by side, from one cache in blocks: ", look.lesson(22), "."),
      e("div", { class: "beside chat" }, e("div", { class: "conversation" }, conversation),
        e("div", {}, model.chat && [e("h3", {}, "What the model reads"), this.reading.root], e("h3", {}, "Batching"),
          e("p", {}, "A column is a pass. A number: positions of a prompt that were read; a dot: a token drawn, hollow where it ends the text; below, the blocks in use."), this.batching.root,
          e("p", { class: "actions" }, look.button("Let four others ask", () => this.others())))));
    this.draw();
  }

  // Whether it is on the screen.
  watch(on) {
    this.batching.watch(on);
    if (on && this.model.chat) this.read();
  }

  asked(question) {
    const system = this.system.value.trim();
    return [...(system ? [{ role: "system", content: system }] : []), ...this.messages, ...(question ? [{ role: "user", content: question }] : [])];
  }

  read() {
    const messages = this.asked(this.running ? "" : this.question.value.trim());
    if (messages.some((message) => message.role !== "system")) this.reading.show(messages);
    else this.reading.clear("Write a message to see what the model reads of it.");
  }

  draw() {
    const e = look.element, names = { user: "You", assistant: this.model.model };
    look.replace(this.log, this.messages.map((message) => e("div", { class: "message " + message.role }, e("b", {}, names[message.role]), e("p", {}, message.content))));
    if (this.running) this.log.append(e("div", { class: "message assistant" }, e("b", {}, names.assistant), this.answer));
    this.log.hidden = !this.log.childNodes.length;
    this.log.scrollTop = this.log.scrollHeight;
    this.sendButton.disabled = this.newButton.disabled = Boolean(this.running);
    this.stopButton.disabled = !this.running;
  }

  async send() {
    const question = this.question.value.trim();
    if (this.running || !question) return;
    const value = (control) => control.querySelector("input").valueAsNumber;
    const body = { messages: this.asked(question), stream: true, stream_options: { include_usage: true }, temperature: value(this.temperature), max_tokens: value(this.most) };
    const running = this.running = new AbortController();
    this.messages.push({ role: "user", content: question });
    this.question.value = "";
    this.answer = look.element("p", { class: "coming" });
    this.note.textContent = "";
    this.draw();
    look.focusAgain(this.stopButton);
    this.read();
    let said = "", end = "";
    try {
      for await (const event of look.events(await look.request("/v1/chat/completions", body, running.signal))) {
        if (event.usage) end = `${event.usage.prompt_tokens} tokens read, ${event.usage.completion_tokens} written.`;
        const choice = event.choices[0];
        if (choice?.finish_reason === "length") this.note.textContent = "It is as long as it may be. ";
        if (!choice?.delta.content) continue;
        if (!said) this.read();  // by now its blocks are in use
        said += choice.delta.content;
        this.answer.textContent = said;
        this.log.scrollTop = this.log.scrollHeight;
      }
      this.note.textContent += end;
    } catch (error) {
      this.note.textContent = error.name === "AbortError" ? "Stopped; its place is free." : error.message;
    }
    this.running = null;
    if (said) this.messages.push({ role: "assistant", content: said });
    else if (!end) {  // nothing came: the question can be asked again
      this.messages.pop();
      if (!this.question.value) this.question.value = question;
    } else this.messages.push({ role: "assistant", content: "" });
    this.draw();
    look.focusAgain(this.question);
    this.read();
  }

  stop() {
    this.running?.abort();
  }

  // Texts of others, so that there is something to batch.
  async others() {
    const words = (this.model.text || "Once").split(" ");
    try {
      await look.ask("/v1/completions", { prompt: [1, 6, 12, 30].map((count) => words.slice(0, count).join(" ")), max_tokens: Math.min(20, this.model.context >> 1), temperature: 1 });
    } catch (error) {
      this.note.textContent = error.message;
    }
  }
};
