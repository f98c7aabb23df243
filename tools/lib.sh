# shellcheck shell=bash
# Shared by the scripts in this folder: source it, don't run it.

# The repository's root. Every script in tools/ works from there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where tools/build leaves the two binaries, and where tests look for them.
# shellcheck disable=SC2034
install_dir="$root/.build/install"
# Where tools/toolchain puts Swift.
toolchain_dir=${STACK_TOOLCHAIN_DIR:-$root/.toolchain}

say() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment block at the top of a script: its help text.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

# Puts a Swift toolchain on PATH: the one of tools/toolchain, else that of the machine, else the one in /opt/swift.
# Also repairs the PATH of a plain `su`, which has no sbin.
find_tools() {
  PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
  if [[ -x $toolchain_dir/usr/bin/swift ]]; then
    PATH="$toolchain_dir/usr/bin:$PATH"
  elif ! have swift; then
    PATH="/opt/swift/usr/bin:$PATH"
  fi
  export PATH
}

# Prints why the Swift on PATH will not do; nothing when it does.
swift_complaint() {
  have swift || { echo "there is no Swift toolchain in PATH or /opt/swift/usr/bin" && return; }
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    '') echo "'$(command -v swift) --version' gives no version" ;;
    [0-5].* | 6.[01]) echo "Swift $version is too old" ;;
  esac
}

# Ends the script where Swift is missing or too old.
require_swift() {
  find_tools
  local complaint
  complaint=$(swift_complaint)
  [[ -z $complaint ]] || die "$complaint: run tools/toolchain, or install Swift 6.2 or newer from https://swift.org/install"
}

# The same, but fetches the official toolchain first, unless told not to.
provide_swift() { # provide_swift fetch|decline
  find_tools
  local complaint
  complaint=$(swift_complaint)
  if [[ -n $complaint && $1 == fetch ]]; then
    say "$complaint, and stack needs 6.2 or newer (--no-toolchain: do not fetch it)"
    "$root/tools/toolchain"
  fi
  require_swift
}
