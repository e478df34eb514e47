// SPDX-License-Identifier: Apache-2.0
//
// completion<C>: something happens once (or n times), and whoever waits for it goes on.
//
// 1. complete() lets one waiter through, now or later; complete_all() every one, for ever.
// 2. It may lie on the stack of the waiter: when wait() returns, complete() doesn't touch it any
//    more.
// 3. Waiters are served in order; a callback counts as a waiter.
#pragma once

#include "holdfast/sync/wait_queue.h"

HF_NAMESPACE_BEGIN

template <lock_class& C>
class completion {
 public:
  constexpr completion() = default;
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;

  void complete() {
    lock_.lock();
    wait_entry* call = nullptr;
    if (list_node* n = waiters_.first()) {
      call = serve(*n);
    } else if (done_ < all - 1) {
      ++done_;
    }
    lock_.unlock();
    if (call != nullptr) call->func(*call);
  }
  void complete_all() {
    list_head callbacks;
    lock_.lock();
    done_ = all;
    while (list_node* n = waiters_.first()) {
      if (wait_entry* call = serve(*n)) callbacks.add_tail(call->node);
    }
    lock_.unlock();
    while (list_node* n = callbacks.first()) {
      n->del();
      wait_entry& e = container_of<&wait_entry::node>(*n);
      e.func(e);
    }
  }

  void wait() { (void)wait_until(no_deadline); }  // blocks
  // False: the deadline passed first.
  bool wait_until(int64_t deadline_ns) {
    might_block(C.name);
    lock_.lock();
    if (consume()) {
      lock_.unlock();
      return true;
    }
    wait_entry me;
    waiters_.add_tail(me.node);
    lock_.unlock();
    bool in_time = detail::wait_on_word(me.word, deadline_ns, C);
    // Also after a wake: the completer may still be inside its section.
    lock_.lock();
    bool served = in_time || !me.node.linked();
    if (!served) me.node.del();
    lock_.unlock();
    return served;
  }
  // Calls e.func once, now or from the complete() that serves it (see wait_queue.h on callbacks).
  void on_complete(wait_entry& e) {
    lock_.lock();
    bool now = consume();
    if (!now) waiters_.add_tail(e.node);
    lock_.unlock();
    if (now) e.func(e);
  }
  // True: e will not be called.
  bool cancel(wait_entry& e) {
    lock_.lock();
    bool mine = e.node.linked();
    if (mine) e.node.del();
    lock_.unlock();
    return mine;
  }
  bool try_wait() {  // never blocks
    lock_.lock();
    bool yes = consume();
    lock_.unlock();
    return yes;
  }
  // Before it is used again; nobody may wait.
  void reset() {
    lock_.lock();
    done_ = 0;
    lock_.unlock();
  }

 private:
  static constexpr uint32_t all = UINT32_MAX;

  bool consume() HF_REQUIRES(lock_) {
    if (done_ == 0) return false;
    if (done_ != all) --done_;
    return true;
  }
  // Takes the first waiter off and wakes it; a callback is returned instead.
  wait_entry* serve(list_node& n) HF_REQUIRES(lock_) {
    n.del();
    wait_entry& e = container_of<&wait_entry::node>(n);
    if (e.func != nullptr) return &e;
    detail::wake_word(e.word);
    return nullptr;
  }

  spinlock<C> lock_;
  uint32_t done_ HF_GUARDED_BY(lock_) = 0;
  list_head waiters_ HF_GUARDED_BY(lock_);
};

HF_NAMESPACE_END
