# shellcheck shell=bash
# Shared by what tools/test-vm runs inside the machine: source it, don't run it.

passed=0
failed=0
check() { # check NAME COMMAND…
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -n 15 <<<"$output"
  fi
}
gives() { # gives EXPECTED COMMAND…: the command's output matches the pattern
  local expected=$1 output
  shift
  output=$("$@" 2>&1) || true
  [[ $output =~ $expected ]] || { echo "expected $expected, got: $output" && false; }
}
fails() { # fails COMMAND…
  if "$@"; then
    echo "did not fail: $*" && return 1
  fi
}
host_state() {
  ip -j link | jq -S 'map(del(.stats, .stats64, .operstate))'
  ip route show table all
  ip netns
  nft -s list ruleset
  sed 's/^[0-9]* [0-9]* //' /proc/self/mountinfo
  find /sys/fs/cgroup -type d
  cat /proc/sys/net/ipv4/ip_forward
}
