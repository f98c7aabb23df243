import Glibc

/// The terminal that the command writes to.
enum Terminal {
  /// Columns of standard output; nil when it is no terminal.
  static var widthIfTerminal: Int? {
    isatty(STDOUT_FILENO) == 1 ? width(of: STDOUT_FILENO) : nil
  }

  /// True if text for a descriptor may have colours: a terminal that knows them, and a caller who wants them.
  ///
  /// NO_COLOR (no-color.org) and TERM=dumb hold for all output. COMPOSE_ANSI, or --ansi, decides before both.
  static func showsColour(_ descriptor: CInt) -> Bool {
    switch variable("COMPOSE_ANSI") {
    case "never": return false
    case "always": return true
    default: return isatty(descriptor) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }
  }

  /// True if the cursor may be moved there.
  static func canMove(_ descriptor: CInt) -> Bool {
    isatty(descriptor) == 1 && variable("TERM") != "dumb" && variable("COMPOSE_ANSI") != "never"
  }

  private static func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

  /// Columns; 80 when it is no terminal.
  static func width(of descriptor: CInt) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Rows; 24 when it is no terminal.
  static func height(of descriptor: CInt) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }
}
