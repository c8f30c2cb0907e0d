// What a text has to be, asked token by token: a mask over the logits before each draw.
//
// Chapter 22 has two: JSON that fits a schema, and stories of a grammar. None is the default, and costs nothing.
#pragma once

#include <memory>

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// A constraint and how far a text has come in it. Copies may be used on several threads at once, one thread each.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;

  /// A copy that has come as far, and goes on by itself.
  virtual std::unique_ptr<TokenConstraint> clone() const = 0;

  /// Sets the logits of all tokens that the text cannot go on with to minus infinity; end tokens are left where it may
  /// end. Throws UserError where no token at all is left.
  virtual void mask(View<real, 1> logits /*(V)*/) = 0;

  /// The text goes on with this token, which is one that mask leaves and no end token.
  virtual void take(TokenId token) = 0;

  /// Whether the text is whole, and nothing can follow.
  virtual bool complete() = 0;
};

}  // namespace cria
