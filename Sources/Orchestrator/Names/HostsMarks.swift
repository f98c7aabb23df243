import Glibc
import Intent
import SystemPackage

/// Takes services out of /etc/hosts files and puts them back, by one octet: a line that begins with `#` says nothing
/// (hosts(5)). Who reads meanwhile sees the line or does not, and the file keeps its length.
struct HostsMarks {
  private struct Line {
    var file: String
    var offset: Int
    /// The first byte of the line while it is no comment.
    var beginning: UInt8
  }

  private let stack: DesiredStack
  private let folder: String
  /// By service; made when the first one ends.
  private var lines: [String: [Line]]?

  init(_ stack: DesiredStack, folder: String) {
    self.stack = stack
    self.folder = folder
  }

  mutating func mark(_ service: String, isGone: Bool) {
    let lines = self.lines ?? findLines()
    self.lines = lines
    for line in lines[service] ?? [] { write(isGone ? UInt8(ascii: "#") : line.beginning, to: line) }
  }

  private func findLines() -> [String: [Line]] {
    var lines: [String: [Line]] = [:]
    for file in NameViews(stack).hostsFiles(for: stack) {
      for place in file.places {
        lines[place.service, default: []].append(
          Line(file: "\(folder)/\(file.name)", offset: place.offset, beginning: place.beginning))
      }
    }
    return lines
  }

  private func write(_ octet: UInt8, to line: Line) {
    let number = open(line.file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard number >= 0 else { return }
    defer { Glibc.close(number) }
    var octet = octet
    pwrite(number, &octet, 1, off_t(line.offset))
  }
}
