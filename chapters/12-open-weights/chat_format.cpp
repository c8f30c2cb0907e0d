#include "chapters/12-open-weights/chat_format.hpp"

#include <algorithm>

namespace cria {
namespace {

constexpr std::string_view llama2 = R"jinja(
{%- set system, turns = '', messages -%}
{%- if messages[0].role == 'system' -%}
  {%- set system, turns = '<<SYS>>\n' ~ messages[0].content ~ '\n<</SYS>>\n\n', messages[1:] -%}
{%- endif -%}
{%- for turn in turns -%}
  {%- if turn.role != ['user', 'assistant'][loop.index0 % 2] -%}
    {{- raise_exception('user and assistant must take turns, the user first') -}}
  {%- elif turn.role == 'user' -%}
    {{- bos_token ~ '[INST] ' ~ ((system if loop.first else '') ~ turn.content).strip() ~ ' [/INST]' -}}
  {%- elif loop.last -%}
    {{- raise_exception('the last message must be the user\'s') -}}
  {%- else -%}
    {{- ' ' ~ turn.content.strip() ~ ' ' ~ eos_token -}}
  {%- endif -%}
{%- endfor -%})jinja";

constexpr std::string_view codellama_70b = R"jinja(
{%- set turns = messages -%}
{%- if messages[0].role != 'system' -%}
  {%- set turns = [{'role': 'system', 'content': ''}] + messages -%}
{%- endif -%}
{{- bos_token -}}
{%- for turn in turns -%}
  {%- if not loop.first and turn.role != ['assistant', 'user'][loop.index0 % 2] -%}
    {{- raise_exception('user and assistant must take turns, the user first') -}}
  {%- elif loop.last and turn.role != 'user' -%}
    {{- raise_exception('the last message must be the user\'s') -}}
  {%- endif -%}
  {{- ' Source: ' ~ turn.role -}}
  {%- if turn.content.strip() %}{{ cut ~ '\n\n ' ~ turn.content.strip() }}{% endif -%}
  {{- '<step>' -}}
{%- endfor -%}
{{- ' Source: assistant\nDestination: user' ~ cut ~ '\n\n ' -}})jinja";

constexpr std::string_view llama3 = R"jinja(
{{- bos_token -}}
{%- for turn in messages -%}
  {{- '<|start_header_id|>' ~ turn.role ~ '<|end_header_id|>\n\n' ~ turn.content.strip() ~ '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif -%})jinja";

constexpr std::string_view llama31 = R"jinja(
{%- set system, turns = '', messages -%}
{%- if messages[0].role == 'system' -%}
  {%- set system, turns = messages[0].content.strip(), messages[1:] -%}
{%- endif -%}
{%- if date_string is not defined -%}
  {%- set date_string = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' -%}
{%- endif -%}
{{- bos_token ~ '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n' -}}
{{- 'Today Date: ' ~ date_string ~ '\n\n' ~ system ~ '<|eot_id|>' -}}
{%- for turn in turns -%}
  {{- '<|start_header_id|>' ~ turn.role ~ '<|end_header_id|>\n\n' ~ turn.content.strip() ~ '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif -%})jinja";

constexpr std::string_view chatml = R"jinja(
{%- for turn in messages -%}
  {{- '<|im_start|>' ~ turn.role ~ '\n' ~ turn.content ~ '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%})jinja";

constexpr std::string_view alpaca = R"jinja(
{%- set task, turns = 'Below is an instruction that describes a task', messages -%}
{%- set order = 'Write a response that appropriately completes the request.\n\n' -%}
{%- if messages[0].role == 'system' -%}
  {%- set task, order, turns = messages[0].content, '\n\n', messages[1:] -%}
{%- elif '\n\n### Input:\n' in messages[0].content -%}
  {%- set order = ', paired with an input that provides further context. ' ~ order -%}
{%- else -%}
  {%- set order = '. ' ~ order -%}
{%- endif -%}
{{- bos_token ~ task ~ order -}}
{%- for turn in turns -%}
  {%- if turn.role == 'user' -%}
    {{- '### Instruction:\n' ~ turn.content ~ '\n\n### Response:' -}}
  {%- else -%}
    {{- turn.content ~ eos_token -}}
  {%- endif -%}
{%- endfor -%})jinja";

constexpr ChatFormat formats[] = {
    {"llama2", llama2, "</s>"},
    {"codellama", llama2, "</s>"},
    {"codellama-70b", codellama_70b, "<step>"},
    {"llama3", llama3, "<|eot_id|>"},
    {"llama3.1", llama31, "<|eot_id|>"},
    {"llama3.2", llama31, "<|eot_id|>"},
    {"chatml", chatml, "<|im_end|>"},
    {"alpaca", alpaca, ""},
};

}  // namespace

std::span<const ChatFormat> chat_formats() { return formats; }

const ChatFormat* find_chat_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &ChatFormat::name);
  return found == std::end(formats) ? nullptr : found;
}

const ChatFormat* recognise_chat_format(std::string_view source) {
  const auto has = [&](std::string_view text) { return source.find(text) != source.npos; };
  if (has("<|start_header_id|>")) return find_chat_format(has("Cutting Knowledge Date") ? "llama3.1" : "llama3");
  if (has("<|im_start|>")) return find_chat_format("chatml");
  if (has("### Instruction:")) return find_chat_format("alpaca");
  if (has("Source: ") && has("<step>")) return find_chat_format("codellama-70b");
  if (has("[INST]") && has("<<SYS>>")) return find_chat_format("llama2");
  return nullptr;
}

}  // namespace cria
