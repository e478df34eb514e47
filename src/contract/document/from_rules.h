// SPDX-License-Identifier: Apache-2.0
//
// A compiled edition in the model of the published one, so that what prints and compares editions
// knows one model only.
#pragma once

#include "contract/document/model.h"
#include "contract/rule.h"

HF_NAMESPACE_BEGIN

edition_document document_of(const edition_rules& rules);

HF_NAMESPACE_END
