// The parts of a tokenizer.json that its readers share. Internal to tokenizer_json.cpp and tokenizer_json_blanks.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/base/check.hpp"

namespace cria::tokenizer_json_parts {

using Json = nlohmann::json;

inline void refuse_unless(bool condition, const std::string& reason) {
  if (!condition) throw UserError(reason);
}

/// Absent, null, false and "" are all "no".
bool is_set(const Json& object, const char* key);

/// What stands under a key, or `otherwise` where the key is absent. Throws UserError, naming the key, for another type.
bool flag_of(const Json& object, const char* key, bool otherwise);
std::string text_of(const Json& object, const char* key, const std::string& otherwise);

/// The steps of the part `key`, such as "normalizer", in order; those of a Sequence, whose list is called `steps`,
/// stand for it. Each is an object with a type, or UserError is thrown.
std::vector<Json> steps_of(const Json& json, const char* key, const char* steps);

/// Whether it is of SentencePiece's kind: with bytes for unknown characters, or blanks written as "▁".
bool is_sentencepiece_json(const Json& json);

/// What such a file does to blanks: its normalizer, pre_tokenizer and decoder become the model's SentencePieceRules.
void read_blanks(const Json& json, BpeModel& model);

/// The tokens for bytes and unknown characters, once the vocabulary has been read.
void read_fallback(const Json& bpe, BpeModel& model);

}  // namespace cria::tokenizer_json_parts
