// The chat formats that Llamas were published with, each as a template of cria's own, and which of them a model's
// template is.
//
//   llama2         [INST] … [/INST], the system's text between <<SYS>> in the first turn; each pair of turns is a text
//                  of its own (Touvron et al. 2023, arXiv:2307.09288; github.com/meta-llama/llama)
//   codellama      the same (Rozière et al. 2023, arXiv:2308.12950); codellama-70b: Source: … Destination: … <step>
//   llama3         <|start_header_id|>role<|end_header_id|> … <|eot_id|> (arXiv:2407.21783;
//                  github.com/meta-llama/llama3); llama3.1, 3.2: the same, and the system always tells the date
//   chatml         <|im_start|>role … <|im_end|> (OpenAI's; SmolLM, Qwen and many others)
//   alpaca         ### Instruction: … ### Response: … without special tokens, and chapter 14's for models that were not
//                  trained for a conversation (Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca)
#pragma once

#include <span>
#include <string_view>

namespace cria {

struct ChatFormat {
  std::string_view name;
  std::string_view source;  ///< of a Jinja template (lib/jinja) in terms of messages, bos_token and eos_token
  std::string_view token;   ///< a special token that its models have; empty: it has none
};

std::span<const ChatFormat> chat_formats();

/// Null where there is none of this name.
const ChatFormat* find_chat_format(std::string_view name);

/// The format of a model's template, by what it writes: null for one of another kind.
const ChatFormat* recognise_chat_format(std::string_view source);

}  // namespace cria
