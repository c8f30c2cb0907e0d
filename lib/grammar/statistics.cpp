#include "lib/grammar/grammar.hpp"
