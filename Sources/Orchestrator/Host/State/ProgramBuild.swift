import Glibc

/// The identity of this build of the program: its file's size and time.
package enum ProgramBuild {
  package static let current: String = {
    var status = stat()
    guard stat("/proc/self/exe", &status) == 0 else { return "unknown" }
    return "\(status.st_size)-\(status.st_mtim.tv_sec)-\(status.st_mtim.tv_nsec)"
  }()
}
