// Chapter 11, limits of recipes as YAML.
#include "chapters/11-pretraining/yaml_limits.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "lib/base/check.hpp"

namespace cria {
namespace {

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& message) {
  throw UserError(fmt::format("{}:{}: {}", file, mark.line + 1, message));
}

class Limits : public YAML::EventHandler {
 public:
  explicit Limits(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail(file_, mark, "a second document begins, expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { fail(file_, mark, "an alias, expected a value"); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void count(const YAML::Mark& mark) {
    constexpr size_t most = 1000;
    if (++nodes_ > most) fail(file_, mark, fmt::format("more than {} keys and values, expected a recipe", most));
  }
  void open(const YAML::Mark& mark) {
    constexpr size_t most = 8;
    count(mark);
    if (++depth_ > most) fail(file_, mark, "nested too deeply, expected sections that hold keys with values");
  }

  const std::string& file_;
  size_t documents_ = 0, nodes_ = 0, depth_ = 0;
};

}  // namespace

void check_yaml_limits(const std::string& text, const std::string& file) {
  Limits limits(file);
  std::istringstream stream(text);
  for (YAML::Parser parser(stream); parser.HandleNextDocument(limits);) continue;
}

}  // namespace cria
