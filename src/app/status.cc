// SPDX-License-Identifier: Apache-2.0
//
// holdfast status, holdfast types.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/control.h"
#include "app/errors.h"
#include "app/snapshot.h"
#include "holdfast/super_block.h"

namespace holdfast::app {

int status_command(const std::string& dir, bool json, bool rules) {
  server_connection server = connect_to_server(canonical(dir));
  if (!server) {
    throw user_error("no Holdfast mount of yours at " + dir +
                     "; `findmnt -t fuse.holdfast,fuse.holdfast.tmpfs` lists what is mounted");
  }
  std::string answer = ask_server(server, rules ? "rules" : "status");
  if (json) {
    fputs(answer.c_str(), stdout);
    return 0;
  }
  nlohmann::json j = nlohmann::json::parse(answer);
  fputs((rules ? describe_rules(j) : describe_snapshot(j)).c_str(), stdout);
  return 0;
}

int types_command() {
  register_file_systems();
  for_each_filesystem([](const file_system_type& t,
                         void*) { printf("%-12s %s\n", t.name, t.help != nullptr ? t.help : ""); },
                      nullptr);
  return 0;
}

}  // namespace holdfast::app
