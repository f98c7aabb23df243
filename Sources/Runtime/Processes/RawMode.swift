import Glibc

/// The caller's terminal in raw mode, if standard input is one.
struct RawMode: Sendable {
  private let former: termios?

  init() {
    var mode = termios()
    guard tcgetattr(0, &mode) == 0 else {
      former = nil
      return
    }
    former = mode
    cfmakeraw(&mode)
    tcsetattr(0, TCSANOW, &mode)
  }

  func restore() {
    guard var former else { return }
    tcsetattr(0, TCSADRAIN, &former)
  }
}
