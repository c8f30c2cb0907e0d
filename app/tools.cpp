// bench, book, figure and learn are programs of their own beside this one: most of what there is to compile, and
// nothing that a first story or a training run has to wait for. Here their names hand over to them.
#include <fmt/format.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include <filesystem>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

std::filesystem::path program_file() {
#ifdef __APPLE__
  std::string path(4096, '\0');
  std::uint32_t size = static_cast<std::uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) == 0) return std::filesystem::canonical(path.c_str());
  return "cria";
#else
  return std::filesystem::read_symlink("/proc/self/exe");
#endif
}

void hand_over(const std::string& tool, std::vector<std::string> arguments) {
  const std::string program = (program_file().parent_path() / ("cria-" + tool)).string();
  arguments.insert(arguments.begin(), {program, tool});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  throw UserError(fmt::format("{} is not there; build it with cmake --build BUILD --target cria_{}, or call ./cria {}",
                              program, tool, tool));
}

}  // namespace

void add_tools(CLI::App& app, int&) {
  const auto add = [&](const std::string& name, const char* help) {
    CLI::App* tool = app.add_subcommand(name, help);
    tool->prefix_command();  // the arguments that follow are the tool's
    tool->set_help_flag();   // --help too
    tool->callback([tool, name] { hand_over(name, tool->remaining()); });
  };
  add("bench", "Measure this machine's limits, and how near to them cria comes");
  add("book", "Write the lessons as a site to read in a browser");
  add("figure", "Draw a model's own tensors as SVG, for the lessons");
  add("learn", "Write the chapters yourself, and see them proven");
}

}  // namespace cria
