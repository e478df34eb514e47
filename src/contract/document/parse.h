// SPDX-License-Identifier: Apache-2.0
//
// An edition of the locking document as it is published: text in, model out.
//
// 1. All or nothing: an edition, or an error with its line. What had to be placed by what the
// parser
//    knows, because the form lost it, is in the edition's notes.
// 2. Any bytes may be handed in; time is bounded by the size of the text, which is bounded too.
#pragma once

#include <string_view>

#include "contract/document/model.h"

HF_NAMESPACE_BEGIN

or_document_error<edition_document> parse_document(std::string_view text);

HF_NAMESPACE_END
