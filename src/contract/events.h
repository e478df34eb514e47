// SPDX-License-Identifier: Apache-2.0
//
// The listening side of holdfast/events.h, for dispatchers.
//
// 1. A watch lives on the stack of the dispatcher around one call. It is open only if checking was
//    on when it was made; it then stands in its context's list, innermost first.
// 2. seen() runs on a thread of the watch's own context. seen_elsewhere() runs on any other, under
//    the events' lock, and only for events that were asked for; it reports nothing and takes no
//    lock. What both touch is touched under event_guard.
// 3. A derived class opens in its constructor and closes in its destructor, so that nobody calls
//    into an object that is half there.
#pragma once

#include "contract/gate.h"
#include "holdfast/events.h"
#include "sync/raw_lock.h"

HF_NAMESPACE_BEGIN

struct event_note {
  event what;
  const void* object;
  uint64_t first;
  uint64_t length;  // 0: to the end of the file
  uint64_t since;   // event_begin() of what took time

  uint64_t end() const { return length == 0 ? UINT64_MAX : first + length; }
};

namespace contract_detail {
extern constinit raw_lock event_lock;
}
class [[nodiscard]] HF_SCOPED_CAPABILITY event_guard {
 public:
  event_guard() HF_ACQUIRE(contract_detail::event_lock) { contract_detail::event_lock.lock(); }
  ~event_guard() HF_RELEASE() HF_NO_THREAD_SAFETY_ANALYSIS { contract_detail::event_lock.unlock(); }
  event_guard(const event_guard&) = delete;
  event_guard& operator=(const event_guard&) = delete;
};

class event_watch {
 public:
  event_watch() = default;
  event_watch(const event_watch&) = delete;
  event_watch& operator=(const event_watch&) = delete;

  virtual void seen(const event_note& n) = 0;
  virtual void seen_elsewhere(const event_note& n) HF_REQUIRES(contract_detail::event_lock);

  // To whom it concerns.
  static void deliver(const event_note& n);

 protected:
  ~event_watch() = default;
  template <class... E>
  static constexpr uint32_t events(E... e) {
    return ((1u << static_cast<unsigned>(e)) | ... | 0u);
  }
  // own: events of this context; elsewhere: of all others.
  void open(uint32_t own, uint32_t elsewhere = 0) {
    if (checking_on()) [[unlikely]]
      enlist(own, elsewhere);
  }
  void close() {
    if (context_ != nullptr) [[unlikely]]
      leave();
  }
  bool is_open() const { return context_ != nullptr; }
  // From now on; what began before is let pass.
  static uint64_t start_clock() HF_REQUIRES(contract_detail::event_lock);

 private:
  void enlist(uint32_t own, uint32_t elsewhere);
  void leave();

  exec_context* context_ = nullptr;  // null: not open
  event_watch* outer_ = nullptr;
  event_watch* next_ HF_GUARDED_BY(contract_detail::event_lock) =
      nullptr;  // of those that listen elsewhere
  uint32_t own_ = 0;
  uint32_t elsewhere_ = 0;
};

// How often one event happened to one object.
class event_counter final : public event_watch {
 public:
  event_counter(event what, const void* object) : object_(object) { open(events(what)); }
  ~event_counter() { close(); }
  unsigned count() const { return count_; }
  void seen(const event_note& n) override {
    if (n.object == object_) ++count_;
  }

 private:
  const void* object_;
  unsigned count_ = 0;
};

HF_NAMESPACE_END
