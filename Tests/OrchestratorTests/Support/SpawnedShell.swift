import Glibc
@testable import Kernel

/// Starts a line of shell as a child, and returns its number.
///
/// - Parameters:
///   - output: the descriptor that becomes its standard output and error; nil for those of the test.
///   - inSession: true for a session of its own, as a container would start it.
func spawnShell(_ line: String, output: CInt? = nil, inSession: Bool = false) throws(KernelError) -> pid_t {
  var pid: pid_t = 0
  var arguments: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", line].map { (word: String) in strdup(word) } + [nil]
  defer { for argument in arguments { free(argument) } }
  // The thread of a loop may have signals blocked; the shell starts with none.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var mask = sigset_t()
  sigemptyset(&mask)
  posix_spawnattr_setsigmask(&attributes, &mask)
  // POSIX_SPAWN_SETSID does not import.
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | (inSession ? 0x80 : 0))
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  if let output {
    for target in [STDOUT_FILENO, STDERR_FILENO] { posix_spawn_file_actions_adddup2(&actions, output, target) }
  }
  let failure = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, environ)
  guard failure == 0 else { throw KernelError("start", line, errno: .init(rawValue: failure)) }
  return pid
}
