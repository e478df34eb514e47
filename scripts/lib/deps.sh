# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Installs the distribution packages that a job needs, if any is missing. Sourced by scripts/run and
# scripts/test:  deps_install run | deps_install test
# When nothing is missing this is one dpkg-query, so every call may afford it.

deps_run=(g++ cmake ninja-build pkg-config ccache liburcu-dev libfuse3-dev fuse3 libfmt-dev
  libcli11-dev nlohmann-json3-dev libdw-dev)
deps_test=("${deps_run[@]}" git python3 clang-19 clang-tidy-19 clang-format-19 lld-19
  libclang-rt-19-dev liburing-dev libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  attr acl libacl1-dev rsync e2fsprogs util-linux chromium chromium-driver)

# Prints those of its arguments that are not installed.
deps_missing() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^ii  *//p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed" | sort -u)
}

deps_install() {
  local -n wanted="deps_$1"
  local missing sudo=() log
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system: nothing is installed for you. Needed:" >&2
    echo "  ${wanted[*]}" >&2
    return 0
  fi
  mapfile -t missing < <(deps_missing "${wanted[@]}")
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages, and neither root nor sudo to install them:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    sudo=(sudo)
  fi
  echo "Installing: ${missing[*]}"
  log=$(mktemp)
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q
    -o DPkg::Lock::Timeout=300)
  # Package lists may be absent or stale: refresh them only when the first try fails.
  if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; then
    if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
      </dev/null >"$log" 2>&1; then
      cat "$log" >&2
      rm -f "$log"
      return 1
    fi
  fi
  rm -f "$log"
}
