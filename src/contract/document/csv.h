// SPDX-License-Identifier: Apache-2.0
//
// An edition as comma-separated values, RFC 4180: quotes only where needed, lines end in LF.
//
// 1. Document order, one record for each method and column, blank cells too.
// 2. Tables as their headings name them; columns as headed, without a leading "->".
#pragma once

#include <string>

#include "contract/document/model.h"

HF_NAMESPACE_BEGIN

std::string csv_field(std::string_view text);
// One record, with its line end.
std::string csv_record(std::initializer_list<std::string_view> fields);
std::string_view csv_column(std::string_view heading);

// table,method,column,value
std::string rules_csv(const edition_document& edition);
// table,method,prototype
std::string prototypes_csv(const edition_document& edition);

HF_NAMESPACE_END
