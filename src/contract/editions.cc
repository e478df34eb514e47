// SPDX-License-Identifier: Apache-2.0
//
// The only place that sees the tables of the older editions.
#include "contract/editions.h"

#include "holdfast_rules_3_5.h"
#include "holdfast_rules_4_1.h"
#include "holdfast_rules_4_4.h"
#include "holdfast_rules_5_6.h"
#include "holdfast_rules_6_6.h"

HF_NAMESPACE_BEGIN
namespace {

constexpr const edition_rules* all[] = {
    &rules_3_5::edition, &rules_4_1::edition, &rules_4_4::edition,
    &rules_5_6::edition, &rules_6_6::edition,
};

}  // namespace

std::span<const edition_rules* const> editions() {
  return all;
}

const edition_rules* find_edition(std::string_view release) {
  for (const edition_rules* e : all)
    if (e->release == release) return e;
  return nullptr;
}

HF_NAMESPACE_END
