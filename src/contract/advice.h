// SPDX-License-Identifier: Apache-2.0
//
// What to do about a broken rule, where more can be said than the rule says by itself. Every
// function has a general answer too. The texts have static storage.
#pragma once

#include <string_view>

#include "holdfast/sync/lock_class.h"

HF_NAMESPACE_BEGIN

// Of a prose rule. `by_method`: the method had been entered, so it is not its caller's doing.
std::string_view advice_for_rule(std::string_view rule, bool by_method);
// Of `inner`, taken while `outer` was held, against the known order.
std::string_view advice_for_order(const lock_class& outer, const lock_class& inner);
// Of a lock that the method should have released. `method`: as the table names it.
std::string_view advice_for_kept(std::string_view method, const lock_class* cls);
// Of a method that blocks in a call that may not; `rcu_walk`: since the call is made in RCU-walk.
std::string_view advice_for_blocking(std::string_view method, bool rcu_walk);

HF_NAMESPACE_END
