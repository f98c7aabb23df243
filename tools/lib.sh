# shellcheck shell=bash
# Shared by the scripts in this folder: source it, don't run it.

# The repository's root. Every script in tools/ works from there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where tools/build leaves the two binaries, and where tests look for them.
# shellcheck disable=SC2034
install_dir="$root/.build/install"

say() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment block at the top of a script: its help text.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

# Puts a Swift toolchain on PATH, or says in one line what is missing.
# Also repairs the PATH of a plain `su`, which has no sbin.
find_tools() {
  PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
  have swift || PATH="/opt/swift/usr/bin:$PATH"
  export PATH
}
require_swift() {
  find_tools
  have swift || die "no Swift toolchain in PATH or /opt/swift/usr/bin: install Swift 6.2 or newer from https://swift.org/install"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    '') die "'swift --version' gives no version: is $(command -v swift) a Swift toolchain?" ;;
    [0-5].* | 6.[01]) die "Swift $version is too old: install Swift 6.2 or newer from https://swift.org/install" ;;
  esac
}
