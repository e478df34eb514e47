// SPDX-License-Identifier: Apache-2.0
//
// What every dispatcher is made of: a call of a method inside its gate.
//
// 1. A method is called at one place of the source. A hot dispatcher, which is inline and has a
//    checked twin out of line, shares that place with its twin (namespace `direct`, for the two
//    alone).
// 2. A null pointer is answered before the gate: no method runs, so no rule of it is exercised.
//    Where the documented default lies above the core, the dispatcher says what it answers instead,
//    and its caller looks at the pointer first.
// 3. What a lock is bound to is read before the call; afterwards the arguments may be gone.
// 4. The static annotation of a dispatcher names what its parameters can name. The other locks of
//    its rule (a victim's, those of a dentry's inode) are the gate's alone.
//
// Tables: i_op, i_fop, f_op and a_ops are never null (an object without methods has an empty
// table); d_op and s_op may be.
#pragma once

#include <type_traits>

#include "contract/gate.h"
#include "holdfast/result.h"

HF_NAMESPACE_BEGIN

namespace door {

template <class T>
bool failed(const Result<T>& r) {
  return !r.ok();
}
template <class T>
bool failed(const T&) {
  return false;
}

// Runs call() inside the gate of `m`. bind(gate&) states facts and binds locks; after(gate&,
// result) says what a successful call returned with. Both run only when the call is checked.
//
// With checking off nothing is left of it but one test: the gate lives in a function of its own.
template <class Bind, class Call, class After>
[[gnu::noinline]] auto checked_through(method_id m, Bind& bind, Call& call, After& after) {
  gate g(m);
  if (g.on()) {
    bind(g);
    g.enter();
  }
  auto r = call();
  if (g.on()) after(g, r);
  g.leave(failed(r));
  return r;
}
template <class Bind, class Call, class After>
auto through(method_id m, Bind&& bind, Call&& call, After&& after) {
  if (!checking_on()) [[likely]]
    return call();
  return checked_through(m, bind, call, after);
}

template <class Bind, class Call>
[[gnu::noinline]] void checked_void(method_id m, Bind& bind, Call& call) {
  gate g(m);
  if (g.on()) {
    bind(g);
    g.enter();
  }
  call();
  g.leave(false);
}

template <class Bind, class Call>
auto through(method_id m, Bind&& bind, Call&& call) {
  if constexpr (std::is_void_v<decltype(call())>) {
    if (!checking_on()) [[likely]]
      return call();
    checked_void(m, bind, call);
  } else {
    return through(m, bind, call, [](gate&, const auto&) {});
  }
}

// A method whose rule binds nothing but how it may block.
template <class Call>
auto through(method_id m, Call&& call) {
  return through(m, [](gate&) {}, call);
}

}  // namespace door

HF_NAMESPACE_END
