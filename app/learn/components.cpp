// In cria itself every chapter is the reference's.
#include "app/learn/components.hpp"

namespace cria::learn {

std::span<const LearnersFile> learners_components() { return {}; }

}  // namespace cria::learn
