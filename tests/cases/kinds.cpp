// The reference cases: every folder below CRIA_CASES becomes a test case for each kind that its files are of, and a
// visible skip where no kind knows it. A folder that is added later is tested without new code.
#include <algorithm>

#include "lib/base/file.hpp"
#include "lib/simd/primitives.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace fs = std::filesystem;

bool Case::has(const std::string& file) const { return std::ranges::binary_search(files, file); }
bool Case::has_ending(const std::string& ending) const {
  return std::ranges::any_of(files, [&](const std::string& file) { return file.ends_with(ending); });
}
nlohmann::json Case::json(const std::string& file) const { return nlohmann::json::parse(read_file(folder / file)); }

namespace {

const CaseKind kinds[] = {
    {"a model",
     [](const Case& c) {
       const bool is_model = c.has("model.safetensors") || c.has_ending(".gguf") || c.has("params.json");
       return is_model &&
              (c.has("logits.npy") || (c.has("expected.json") && c.json("expected.json").contains("expect")));
     },
     check_model},
    {"training steps", [](const Case& c) { return c.has("initial.safetensors") && c.has("batches.npy"); },
     check_training},
    {"stories of llama2.c",
     [](const Case& c) {
       return c.has("tok512.bin") && fs::exists(c / "hf/model.safetensors") && fs::exists(c / "expected/greedy.txt");
     },
     check_published_stories},
    {"hostile models", lists_hostile_models, check_hostile_models},
    {"tensor files", has_tensor_files, check_tensor_files},
    {"a tokenizer", is_tokenizer, check_tokenizer},
    {"learned merges", has_learned_merges, check_learned_merges},
    {"blocks of numbers", [](const Case& c) { return c.has("types.json"); }, check_blocks},
    {"tests of samplers", has_sampler_tests, check_sampler_tests},
    {"texts", has_texts, check_texts},
    {"chats", has_chats, check_chats},
    {"infilling", has_infilling, check_infilling},
    {"SmolLM2", [](const Case& c) { return c.has("smollm2.json"); }, check_smollm2},
    {"attention", is_attention, check_attention},
    {"multi-head attention", is_multi_head_attention, check_multi_head_attention},
    {"RMSNorm", is_rmsnorm, check_rmsnorm},
    {"RoPE", is_rope, check_rope},
    {"softmax or SiLU", is_function, check_function},
    {"AdamW", is_optimiser, check_optimiser},
    {"clipping", is_clipping, check_clipping},
    {"cross entropy", is_cross_entropy, check_cross_entropy},
    {"learning rates", is_schedule, check_schedule},
    {"preferences", has_preferences, check_preferences},
    {"rewards", has_rewards, check_rewards},
    {"a step of PPO", has_policy_step, check_policy_step},
    {"groups of answers", has_groups, check_groups},
    {"advantages", has_advantages, check_advantages},
    {"a change of low rank", is_low_rank, check_low_rank},
    {"torchtune's numbers", [](const Case& c) { return c.has("published_scalars.json"); }, check_published_scalars},
};

// Parts of a case that lies above them.
bool is_part(const fs::path& folder) {
  return folder.filename() == "hf" || folder.filename() == "expected" || folder.filename() == "meta_layout" ||
         fs::exists(folder.parent_path() / "manifest.json");
}

std::vector<Case> list_cases(const fs::path& all) {
  std::vector<Case> cases;
  for (const auto& entry : fs::recursive_directory_iterator(all, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_directory() || is_part(entry.path())) continue;
    Case c{entry.path(), fs::relative(entry.path(), all).generic_string(), {}};
    for (const auto& file : fs::directory_iterator(entry.path()))
      if (file.is_regular_file()) c.files.push_back(file.path().filename().string());
    for (const char* note : {"README.md", "recomputed.json"}) std::erase(c.files, note);  // on the cases beside it
    std::ranges::sort(c.files);
    if (!c.files.empty()) cases.push_back(c);
  }
  std::ranges::sort(cases, {}, &Case::name);
  return cases;
}

struct CaseTest : Catch::ITestInvoker {
  Case the_case;
  const CaseKind* kind;  // null where none knows it

  CaseTest(Case c, const CaseKind* k) : the_case(std::move(c)), kind(k) {}
  void invoke() const override {
    if (kind && kind->check) return kind->check(the_case);
    if (kind) return skip_test(fmt::format("{}: {} are not supported yet", the_case.name, kind->name));
    skip_test(fmt::format("{}: no test knows this kind of case, with {}", the_case.name, the_case.files.front()));
  }
};

void add(const Case& c, const CaseKind* kind) {
  // What cannot run is said once, on the target that runs when none is chosen.
  if (!(kind && kind->check) && simd::active().target != simd::available_targets().back()) return;
  const std::string name = kind ? c.name + ": " + kind->name : c.name;
#if CATCH_VERSION_MAJOR == 2
  Catch::AutoReg(new CaseTest(c, kind), CATCH_INTERNAL_LINEINFO, "", Catch::NameAndTags(name));
#else
  Catch::AutoReg(Catch::Detail::make_unique<CaseTest>(c, kind), CATCH_INTERNAL_LINEINFO, "", {name, ""});
#endif
}

[[maybe_unused]] const bool registered = [] {
  const auto folder = find_cases();
  if (!folder) return false;
  for (const Case& c : list_cases(*folder)) {
    bool known = false;
    for (const CaseKind& kind : kinds)
      if (kind.found(c)) add(c, &kind), known = true;
    if (!known) add(c, nullptr);
  }
  return true;
}();

}  // namespace

TEST_CASE("the reference cases are there (CRIA_CASES)") {
  if (const auto folder = cases_folder()) CHECK(list_cases(*folder).size() > 0);
}

}  // namespace cria::testing
