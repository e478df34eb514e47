// SPDX-License-Identifier: Apache-2.0
//
// Intrusive lists: the links live in the objects, so linking allocates nothing and can't fail.
//
//   list_head / list_node     circular, doubly linked; a lock of the caller's guards every access
//   hlist_head / hlist_node   hash chains: one pointer a bucket; readers may iterate under RCU
//   alone
//
// 1. An unlinked list_node points to itself; an unlinked hlist_node has no pprev. del() restores
//    that.
// 2. Nodes neither move nor are copied. Lists own nothing.
// 3. del_rcu() leaves `next` of the removed node intact, since a reader may stand on it: the node
//    may be linked again, or freed, only after a grace period.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "holdfast/abi.h"

HF_NAMESPACE_BEGIN

namespace detail {
template <class M>
struct member_of;
template <class T, class M>
struct member_of<M T::*> {
  using object = T;
  using member = M;
};
template <auto Member>
using object_of = typename member_of<decltype(Member)>::object;
template <auto Member>
using member_type_of = typename member_of<decltype(Member)>::member;

template <auto Member>
inline std::ptrdiff_t member_offset() {
  // An address that is aligned for everything and not null; nothing is loaded from it.
  using object = object_of<Member>;
  auto* base = reinterpret_cast<object*>(uintptr_t{1} << 20);
  return reinterpret_cast<char*>(&(base->*Member)) - reinterpret_cast<char*>(base);
}
}  // namespace detail

// The object that `member` is the Member of: container_of<&dentry::d_lru>(node).
template <auto Member>
inline detail::object_of<Member>& container_of(detail::member_type_of<Member>& member) {
  return *reinterpret_cast<detail::object_of<Member>*>(reinterpret_cast<char*>(&member) -
                                                       detail::member_offset<Member>());
}
template <auto Member>
inline const detail::object_of<Member>& container_of(const detail::member_type_of<Member>& member) {
  return *reinterpret_cast<const detail::object_of<Member>*>(
      reinterpret_cast<const char*>(&member) - detail::member_offset<Member>());
}

struct list_node {
  list_node* next;
  list_node* prev;

  constexpr list_node() : next(this), prev(this) {}
  list_node(const list_node&) = delete;
  list_node& operator=(const list_node&) = delete;

  bool linked() const { return next != this; }
  void insert_after(list_node& pos) {
    next = pos.next;
    prev = &pos;
    pos.next->prev = this;
    pos.next = this;
  }
  void insert_before(list_node& pos) { insert_after(*pos.prev); }
  // No effect on a node that isn't linked.
  void del() {
    prev->next = next;
    next->prev = prev;
    next = prev = this;
  }
  void del_init() { del(); }
};

struct list_head {
  list_node root;

  constexpr list_head() = default;
  bool empty() const { return !root.linked(); }
  bool singular() const { return !empty() && root.next == root.prev; }
  void add(list_node& n) { n.insert_after(root); }        // to the front
  void add_tail(list_node& n) { n.insert_before(root); }  // to the end
  void move(list_node& n) {
    n.del();
    add(n);
  }
  void move_tail(list_node& n) {
    n.del();
    add_tail(n);
  }
  list_node* first() { return empty() ? nullptr : root.next; }
  list_node* last() { return empty() ? nullptr : root.prev; }
  bool is_root(const list_node& n) const { return &n == &root; }
  // All of `other` to the end of this list; `other` is empty then.
  void splice_tail(list_head& other) {
    if (other.empty()) return;
    list_node* a = other.root.next;
    list_node* b = other.root.prev;
    a->prev = root.prev;
    root.prev->next = a;
    b->next = &root;
    root.prev = b;
    other.root.next = other.root.prev = &other.root;
  }
  template <auto Member>
  detail::object_of<Member>* first_entry() {
    return empty() ? nullptr : &container_of<Member>(*root.next);
  }
  template <auto Member>
  detail::object_of<Member>* last_entry() {
    return empty() ? nullptr : &container_of<Member>(*root.prev);
  }
};

namespace detail {
template <auto Member, bool Safe>
class list_range {
 public:
  class iterator {
   public:
    using value_type = object_of<Member>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    explicit iterator(list_node* n) : at_(n), next_(n->next) {}
    value_type& operator*() const { return container_of<Member>(*at_); }
    value_type* operator->() const { return &**this; }
    iterator& operator++() {
      at_ = Safe ? next_ : at_->next;
      if constexpr (Safe) next_ = at_->next;
      return *this;
    }
    bool operator==(const iterator& o) const { return at_ == o.at_; }

   private:
    list_node* at_;
    list_node* next_;
  };
  explicit list_range(list_head& h) : head_(h) {}
  iterator begin() const { return iterator(head_.root.next); }
  iterator end() const { return iterator(&head_.root); }

 private:
  list_head& head_;
};
}  // namespace detail

// for (dentry& d : entries<&dentry::d_child>(parent.d_subdirs)) ...
template <auto Member>
inline auto entries(list_head& h) {
  return detail::list_range<Member, false>(h);
}
// The body may unlink or free the current entry (no other).
template <auto Member>
inline auto entries_safe(list_head& h) {
  return detail::list_range<Member, true>(h);
}

// --- hash chains ---

struct hlist_node {
  std::atomic<hlist_node*> next{nullptr};
  std::atomic<hlist_node*>* pprev = nullptr;  // the pointer that points here; null: not linked

  constexpr hlist_node() = default;
  hlist_node(const hlist_node&) = delete;
  hlist_node& operator=(const hlist_node&) = delete;
  bool linked() const { return pprev != nullptr; }
  // For writers, who hold the bucket's lock. No effect on a node that isn't linked.
  void del_rcu() {
    if (pprev == nullptr) return;
    hlist_node* n = next.load(std::memory_order_relaxed);
    pprev->store(n, std::memory_order_release);
    if (n != nullptr) n->pprev = pprev;
    pprev = nullptr;
  }
};

struct hlist_head {
  std::atomic<hlist_node*> first{nullptr};

  bool empty() const { return first.load(std::memory_order_acquire) == nullptr; }
  // Publishes `n` at the front; everything stored into its object before is visible to readers.
  void add_head_rcu(hlist_node& n) {
    hlist_node* f = first.load(std::memory_order_relaxed);
    n.next.store(f, std::memory_order_relaxed);
    n.pprev = &first;
    if (f != nullptr) f->pprev = &n.next;
    first.store(&n, std::memory_order_release);
  }
};

namespace detail {
template <auto Member>
class hlist_range {
 public:
  class iterator {
   public:
    using value_type = object_of<Member>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    explicit iterator(hlist_node* n) : at_(n) {}
    value_type& operator*() const { return container_of<Member>(*at_); }
    value_type* operator->() const { return &**this; }
    iterator& operator++() {
      at_ = at_->next.load(std::memory_order_acquire);
      return *this;
    }
    bool operator==(const iterator& o) const { return at_ == o.at_; }

   private:
    hlist_node* at_;
  };
  explicit hlist_range(const hlist_head& h) : head_(h) {}
  iterator begin() const { return iterator(head_.first.load(std::memory_order_acquire)); }
  iterator end() const { return iterator(nullptr); }

 private:
  const hlist_head& head_;
};
}  // namespace detail

// Inside an RCU read section, or under the bucket's lock. A concurrent move to another chain can
// end the iteration early or carry it into that chain: who must not miss an entry re-checks with a
// seqcount.
template <auto Member>
inline auto entries_rcu(const hlist_head& h) {
  return detail::hlist_range<Member>(h);
}

HF_NAMESPACE_END
