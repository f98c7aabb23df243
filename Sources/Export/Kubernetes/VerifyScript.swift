/// The script that asks: for the shell of busybox, with its nc or with curl.
enum VerifyScript {
  /// Takes files of questions. Ends with 0 if all is as predicted, with 1 if anything differs, and with 2 if it could
  /// not ask.
  static let text = """
    # Asks whether ports answer as predicted. Each line of the files: source destination port/protocol yes|no
    # Exit status: 0 all as predicted, 1 something differs, 2 nothing could be asked.
    wait=${STACK_WAIT:-3}
    if command -v nc >/dev/null 2>&1 && nc --help 2>&1 | grep -q -e 'BusyBox'; then
      reaches() { nc -w "$wait" "$1" "$2" </dev/null >/dev/null 2>&1; }
    elif command -v busybox >/dev/null 2>&1; then
      reaches() { busybox nc -w "$wait" "$1" "$2" </dev/null >/dev/null 2>&1; }
    elif command -v curl >/dev/null 2>&1; then
      reaches() {
        # The time until there was a connection; nothing ends one to a server that waits, but the limit.
        connected=$(curl -s -o /dev/null -w '%{time_connect}' -m "$wait" "telnet://$1:$2" </dev/null)
        [ "$connected" != 0.000000 ]
      }
    else
      echo "neither nc of busybox nor curl is here" >&2
      exit 2
    fi
    for file; do
      [ -r "$file" ] || { echo "cannot read $file" >&2; exit 2; }
    done
    asked=0 wrong=0 skipped=0
    printf '%-24s %-24s %-12s %-10s %s\\n' FROM TO PORT PREDICTED OBSERVED
    while read -r from to port predicted; do
      [ -n "$predicted" ] || continue
      case $port in
        */tcp) ;;
        *)
          skipped=$((skipped + 1))
          printf '%-24s %-24s %-12s %-10s %s\\n' "$from" "$to" "$port" "$predicted" "not asked"
          continue
          ;;
      esac
      observed=no
      if reaches "$to" "${port%/*}"; then observed=yes; fi
      asked=$((asked + 1))
      mark=
      if [ "$observed" != "$predicted" ]; then
        wrong=$((wrong + 1)) mark=' DIFFERS'
      fi
      printf '%-24s %-24s %-12s %-10s %s\\n' "$from" "$to" "$port" "$predicted" "$observed$mark"
    done <<STACK
    $(cat "$@")
    STACK
    echo "$asked asked, $wrong differ, $skipped not asked: UDP has no answer of its own"
    [ "$wrong" = 0 ]

    """
}
