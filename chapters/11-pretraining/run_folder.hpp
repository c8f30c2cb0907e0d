// The folder of a training run: who may use it, and what of a run it holds.
//
// A run's folder goes through three states, and a kill between any two writes leaves one of them:
//   begun        run.lock and what does not change in a run (config.json, tokenizer.json, recipe.yaml): as good as
//   empty resumable    training.safetensors too; a model that is missing or older is written when the run is resumed a
//   model      model.safetensors without a checkpoint, from elsewhere: no run writes over it
#pragma once

#include <filesystem>
#include <map>
#include <memory>

namespace cria {

inline constexpr const char* checkpoint_file = "training.safetensors";
inline constexpr const char* best_folder = "best";    // in a run's folder: its model with the lowest validation loss
inline constexpr const char* steps_folder = "steps";  // in a run's folder: its models of some steps, by their numbers

/// A run's folder, which this process has for itself. The claim is a lock on run.lock, so it ends with the process,
/// however that ends.
class RunFolder {
 public:
  /// Makes the folder where it is missing. Throws UserError when it holds a run, a model or a part of one, or when
  /// another process trains in it. The tokenizer that the run is to use may lie in it.
  static RunFolder for_new_run(const std::filesystem::path& path, const std::filesystem::path& tokenizer = {});
  /// `base`, or base-2, base-3, …: the first one that is free.
  static RunFolder for_new_run_beside(const std::filesystem::path& base);
  /// Throws UserError when the folder holds no checkpoint, or when another process trains in it.
  static RunFolder to_resume(const std::filesystem::path& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder(const RunFolder&) = delete;
  /// Ends the claim. A folder in which nothing was begun goes again, if it was made here.
  ~RunFolder();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

  /// Makes the model that the folder holds now the best one: its files under best/, by a second name for each where the
  /// file system can do that.
  void keep_best() const;
  /// Keeps it as the model of that step, under steps/000500, which is there whole or not at all.
  void keep_step(size_t step) const;

 private:
  explicit RunFolder(const std::filesystem::path& path);
  bool claim();

  std::filesystem::path path_;
  int lock_ = -1;  // a descriptor
  bool made_here_ = false;
};

/// The models that a run has kept in its folder, by their steps. Everything else there is left out.
std::map<size_t, std::filesystem::path> kept_models(const std::filesystem::path& run);

}  // namespace cria
