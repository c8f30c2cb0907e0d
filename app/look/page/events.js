// The events of a stream (server-sent events): of a response the JSON of each, until [DONE].
"use strict";

look.events = async function* (response) {
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new look.ServerError("The server broke off.", 0);
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const text = part.replace(/^data: /, "");
        if (text === "[DONE]") return;
        const event = JSON.parse(text);
        if (event.error) throw new look.ServerError(event.error.message, 500);
        yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
};
