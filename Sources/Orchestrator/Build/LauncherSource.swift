import Kernel
import Runtime
import Synchronization

/// The launcher that all containers of a stack are made with. It is made when it is first asked for, once.
final class LauncherSource: Sendable {
  private let initProgram: String?
  private let made = Mutex<Shared?>(nil)

  /// A launcher cannot be copied, so all hold the same.
  final class Shared: Sendable {
    let launcher: ContainerLauncher

    init(_ launcher: consuming ContainerLauncher) {
      self.launcher = launcher
    }
  }

  init(initProgram: String?) {
    self.initProgram = initProgram
  }

  func shared() throws(KernelError) -> Shared {
    try made.withLock { made throws(KernelError) in
      if let made { return made }
      let new = Shared(try ContainerLauncher(initPath: initProgram))
      made = new
      return new
    }
  }
}
