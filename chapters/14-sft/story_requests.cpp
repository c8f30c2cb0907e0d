// Chapter 14, stories on request.
#include "chapters/14-sft/story_requests.hpp"

#include "lib/base/file.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

std::filesystem::path grammar_of_requests() { return data_folder() / "stories" / "requests.grammar"; }

}  // namespace

StoryRequests::StoryRequests(std::uint64_t seed)
    : seed_(seed), grammar_(Grammar::load(grammar_of_requests())), source_(grammar_), parser_(grammar_) {}

RequestedStory StoryRequests::at(std::uint64_t index) const {
  Random random(seed_ * 0x9E3779B97F4A7C15u + index);
  return source_.draw(random, index < held_out ? Combinations::trained : Combinations::held_out);
}

std::uint64_t StoryRequests::fingerprint() {
  return cria::fingerprint(read_file(data_folder() / "stories" / "stories.grammar"),
                           cria::fingerprint(read_file(grammar_of_requests())));
}

std::string request_template() { return read_file(data_folder() / "stories" / "requests.jinja"); }

}  // namespace cria
