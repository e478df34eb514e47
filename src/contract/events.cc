// SPDX-License-Identifier: Apache-2.0
#include "contract/events.h"

HF_NAMESPACE_BEGIN

namespace contract_detail {
constinit raw_lock event_lock;
}

namespace {
// `listening` says without the lock whether there is anyone.
constinit event_watch* elsewhere_list HF_GUARDED_BY(contract_detail::event_lock) = nullptr;
constinit std::atomic<uint32_t> listening{0};
constinit std::atomic<uint64_t> clock_now{0};
}  // namespace

void event_watch::seen_elsewhere(const event_note&) {}

uint64_t event_watch::start_clock() {
  return clock_now.fetch_add(1) + 1;
}

void event_watch::enlist(uint32_t own, uint32_t elsewhere) {
  own_ = own;
  elsewhere_ = elsewhere;
  context_ = &this_context();
  outer_ = context_->watches;
  context_->watches = this;
  if (elsewhere_ == 0) return;
  const event_guard g;
  next_ = elsewhere_list;
  elsewhere_list = this;
  listening.fetch_add(1);
}

void event_watch::leave() {
  context_->watches = outer_;
  context_ = nullptr;
  if (elsewhere_ == 0) return;
  const event_guard g;
  event_watch** at = &elsewhere_list;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
  listening.fetch_sub(1);
}

namespace detail {

uint64_t event_time() {
  return clock_now.load();
}

void note_event(event what, const void* object, uint64_t first, uint64_t length, uint64_t since) {
  if (this_context().quiet == 0) event_watch::deliver({what, object, first, length, since});
}

}  // namespace detail

void event_watch::deliver(const event_note& n) {
  const exec_context& c = this_context();
  const uint32_t bit = 1u << static_cast<unsigned>(n.what);
  for (event_watch* w = c.watches; w != nullptr; w = w->outer_)
    if ((w->own_ & bit) != 0) {
      w->seen(n);
      break;
    }
  if (listening.load() == 0) return;
  const event_guard g;
  for (event_watch* w = elsewhere_list; w != nullptr; w = w->next_)
    if ((w->elsewhere_ & bit) != 0 && w->context_ != &c) w->seen_elsewhere(n);
}

HF_NAMESPACE_END
