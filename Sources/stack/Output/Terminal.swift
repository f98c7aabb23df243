import Glibc

/// The terminal that the command writes to.
enum Terminal {
  /// Columns of standard output; nil when it is no terminal.
  static var widthIfTerminal: Int? {
    isatty(STDOUT_FILENO) == 1 ? width(of: STDOUT_FILENO) : nil
  }

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
