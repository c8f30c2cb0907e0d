// From texts that are wanted to the answer that a client gets of them: whole, or part by part as they are written. A
// client that leaves takes its texts with it.
#pragma once

#include <string>
#include <vector>

#include "app/serve/answer_form.hpp"
#include "app/serve/engine_thread.hpp"
#include "lib/http/server.hpp"

namespace cria::serve {

struct WantedTexts {
  AnswerForm form;
  std::vector<TextJob> jobs;        // one for each text, in the order of their indices; none: no tokens are wanted
  std::vector<std::string> echoes;  // what stands in front of each text
  size_t prompt_tokens = 0;
  bool stream = false, include_usage = false;
};

/// Returns the status for the records. Throws ApiError as long as nothing is sent, and http::ClientLeft.
int write_answer(EngineThread& engine, WantedTexts wanted, http::Exchange& exchange);

}  // namespace cria::serve
