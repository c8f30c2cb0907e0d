// What a View needs of xtensor to be one of its expressions, and no more: every file that sees a View pays for this.
#pragma once

#if __has_include(<xtensor/containers/xcontainer.hpp>)  // from 0.26 on
#include <xtensor/containers/xcontainer.hpp>
#include <xtensor/core/xoperation.hpp>
#else
#include <xtensor/xcontainer.hpp>
#include <xtensor/xoperation.hpp>
#endif

// xtensor lets every expression be shared, and each holds a std::shared_ptr for it, whose destructor keeps compilers
// from seeing through an expression. Functions of views and numbers are never shared; without it they are nothing but
// their operands, and cost what the loop costs that one would write.
template <class F, class... Operand>
class xt::xsharable_expression<xt::xfunction<F, Operand...>> : public xt::xexpression<xt::xfunction<F, Operand...>> {};
template <class Number>
class xt::xsharable_expression<xt::xscalar<Number>> : public xt::xexpression<xt::xscalar<Number>> {};
