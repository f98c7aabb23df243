import Intent
import StackFiles

/// The questions of a matrix: each replica's to the ports of the others, with the answers that the rules predict.
package struct ReachQuestions {
  private let matrix: TrafficMatrix
  /// By service: the ports that it says it listens on.
  private let ports: [String: [ListeningPort]]

  init(_ matrix: TrafficMatrix, _ input: ExportInput) {
    self.matrix = matrix
    var ports: [String: [ListeningPort]] = [:]
    for service in input.stack.services {
      let own = service.ports.map(\.target) + service.readyPorts
      var owner = service.name
      if case .service(let name) = service.namespace { owner = name }
      ports[owner, default: []] += own
    }
    self.ports = ports.mapValues { $0.uniqued() }
  }

  package init(_ stack: DesiredStack) {
    matrix = TrafficMatrix(stack)
    var ports: [String: [ListeningPort]] = [:]
    for service in stack.services { ports[service.name] = (service.ports.map(\.target) + service.readyPorts).uniqued() }
    self.ports = ports
  }

  /// One for each service; each replica where rules tell them apart.
  var sources: [TrafficMatrix.Member] {
    var seen: Set<String> = []
    return matrix.members.indices.filter { place in
      seen.insert("\(matrix.members[place].service) \(matrix.classOf[place])").inserted
    }.map { matrix.members[$0] }
  }

  package var sourceNames: [String] { sources.map(\.name) }

  package func text(from name: String) -> String? {
    matrix.members.first { $0.name == name }.map { text(from: $0) }
  }

  /// Lines of a source: `web db 5432/tcp yes`.
  func text(from source: TrafficMatrix.Member) -> String {
    var lines: [String] = []
    for target in matrix.members where target.name != source.name {
      let allowed = matrix.ports(from: source.name, to: target.name) ?? .none
      for port in ports[target.name] ?? [] {
        let isOpen = port.transport == .tcp ? allowed.containsTCP(port.port) : allowed.containsUDP(port.port)
        lines.append("\(source.name) \(target.name) \(port.port)/\(port.transport.rawValue) \(isOpen ? "yes" : "no")")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

/// The script that asks: for the shell of busybox, with its nc or with curl.
package enum VerifyScript {
  /// Takes files of questions. Ends with 0 if all is as predicted, with 1 if anything differs, and with 2 if it could not ask.
  package static let text = """
    # Asks whether ports answer as predicted. Each line of the files: source destination port/protocol yes|no
    # Exit status: 0 all as predicted, 1 something differs, 2 nothing could be asked.
    wait=${STACK_WAIT:-3}
    if command -v nc >/dev/null 2>&1 && nc --help 2>&1 | grep -q -e 'BusyBox'; then
      reaches() { nc -w "$wait" "$1" "$2" </dev/null >/dev/null 2>&1; }
    elif command -v busybox >/dev/null 2>&1; then
      reaches() { busybox nc -w "$wait" "$1" "$2" </dev/null >/dev/null 2>&1; }
    elif command -v curl >/dev/null 2>&1; then
      # 7 is no connection, 28 is no answer in time, 6 is no such name. With anything else there was a connection.
      reaches() {
        curl -s -o /dev/null --connect-timeout "$wait" -m "$wait" "telnet://$1:$2" </dev/null
        case $? in 6 | 7) return 1 ;; 28) curl_connected "$1" "$2" ;; *) return 0 ;; esac
      }
      curl_connected() {
        [ "$(curl -s -o /dev/null -w '%{time_connect}' --connect-timeout "$wait" -m "$wait" "telnet://$1:$2" </dev/null)" \\
          != 0.000000 ]
      }
    else
      echo "neither nc of busybox nor curl is here" >&2
      exit 2
    fi
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
