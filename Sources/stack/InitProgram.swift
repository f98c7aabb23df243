import Glibc

/// stack-init, as it was installed: `PREFIX/libexec/stack/stack-init` beside `PREFIX/bin/stack`, or in the folder of
/// `stack` itself, as in a build folder.
enum InitProgram {
  static func find() -> String? {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &path, path.count)
    guard count > 0 else { return nil }
    let program = String(decoding: path.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    return ["\(folder)/../libexec/stack/stack-init", "\(folder)/stack-init"].first { access($0, X_OK) == 0 }
  }
}
