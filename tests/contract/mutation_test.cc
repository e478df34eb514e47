// SPDX-License-Identifier: Apache-2.0
//
// The document parser on documents with mistakes in them: a bounded, replayable sibling of the
// libFuzzer target (tests/fuzz). HOLDFAST_MUTATION_SEED replays one run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/contract/synthetic_document.h"
#include "tests/fuzz/document_check.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class mutator {
 public:
  explicit mutator(uint64_t seed) : random_(seed) {}

  std::string change(std::string text) {
    for (size_t n = 1 + below(4); n > 0 && !text.empty(); --n) change_once(text);
    return text;
  }

 private:
  size_t below(size_t n) { return n == 0 ? 0 : random_() % n; }

  void change_once(std::string& text) {
    constexpr std::string_view pieces[] = {
        "|",           "||",
        "\t",          "  ",
        "\n",          ";",
        "(*",          "/*",
        "*/",          "---|",
        "====",        ":",
        "@@ -",        "+",
        "yes",         "\xc2\xb6",
        "--- x ---",   " 12",
        "(see below)", "\xff",
        "prototypes:", "locking rules:",
    };
    const size_t at = below(text.size());
    switch (below(7)) {
      case 0:
        text.erase(at, 1 + below(40));
        break;
      case 1:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 2:
        text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.resize(at);
        break;
      case 4: {  // a line again
        const size_t begin = text.rfind('\n', at) + 1;
        text.insert(begin, text.substr(begin, text.find('\n', at) - begin) + "\n");
        break;
      }
      case 5: {  // a line less
        const size_t begin = text.rfind('\n', at) + 1;
        text.erase(begin, text.find('\n', at) - begin + 1);
        break;
      }
      default: {  // a part somewhere else
        const std::string part = text.substr(at, 1 + below(120));
        text.erase(at, part.size());
        text.insert(below(text.size()), part);
        break;
      }
    }
  }

  std::mt19937_64 random_;
};

void run(const std::vector<std::string>& documents, uint64_t first, size_t count) {
  size_t accepted = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const std::string text = mutator(seed).change(documents[seed % documents.size()]);
    bool taken = false;
    const std::string wrong = document_check::check(text, taken);
    accepted += taken ? 1 : 0;
    ASSERT_EQ(wrong, "") << "HOLDFAST_MUTATION_SEED=" << seed << " replays it; document "
                         << seed % documents.size();
  }
  printf("%zu mutations from seed %llu on, %zu still documents\n", count,
         static_cast<unsigned long long>(first), accepted);
  if (count > 100) {
    EXPECT_GT(accepted, 0u);
    EXPECT_LT(accepted, count);
  }
}

void run_all(const std::vector<std::string>& documents, size_t count) {
  if (const char* seed = getenv("HOLDFAST_MUTATION_SEED"); seed != nullptr)
    run(documents, strtoull(seed, nullptr, 10), 1);
  else
    run(documents, std::random_device{}(), count);
}

TEST(document_mutation, of_our_own_documents) {
  using namespace synthetic;
  run_all({plain, rst, rendered, in_bars(plain), as_diff(collapsed(plain)), behind_page_header(rst),
           in_one_line(rst)},
          4000);
}

TEST(document_mutation, of_the_published_documents) {
  const fs::path seeds = fs::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "seeds";
  std::vector<std::string> documents;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(seeds, missing)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    documents.push_back(text.str());
  }
  if (documents.empty()) GTEST_SKIP() << "no published documents in " << seeds.string();
  run_all(documents, 150);
}

}  // namespace
}  // namespace holdfast
