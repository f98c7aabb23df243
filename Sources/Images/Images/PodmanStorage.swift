import CLinux
import Glibc
import ImageReference
import Kernel
import Registry
import SystemPackage

/// The images of the Podman of this host. Its storage has no interface but its programs, so `podman image save` is asked
/// (podman-save(1)).
struct PodmanStorage {
  let environment: [String: String]

  private static let longestWords = 1 << 12

  /// An image as an archive of `docker save`, from its first byte on.
  ///
  /// - Parameter take: gets the archive piece by piece, and answers whether to go on.
  func save(_ name: String, image: String, take: (UnsafeRawBufferPointer) -> Bool) throws(ImageError) {
    guard let podman = HostProgram.find("podman", environment) else {
      throw ImageError(
        image, "there is no program podman in PATH, which alone reads its storage",
        remedy: "install it, or save the image where it is and use docker-archive:")
    }
    let command = [podman, "image", "save", "--quiet", "--format", "docker-archive", "--", name]
    var isStopped = false
    let outcome: (isDone: Bool, words: String)
    do throws(KernelError) {
      let errors = Descriptor(adopting: try check("make", "a file in memory") { stack_memfd_create("podman") })
      let program = HostProgram(command: command, environment: environment, errors: errors.fileDescriptor)
      let isDone = try program.run(input: "") { bytes in
        isStopped = !take(bytes)
        return !isStopped
      }
      outcome = (isDone, Self.text(in: errors))
    } catch {
      throw ImageError(image, error)
    }
    // The archive's reader has an error of its own for what made it stop.
    guard !outcome.isDone, !isStopped else { return }
    guard !outcome.words.contains("image not known") else {
      throw ImageError(
        image, "the Podman of this host has no such image", remedy: "for those that it has: podman images")
    }
    throw ImageError(image, "podman cannot save it: \(outcome.words)")
  }

  /// The beginning of what a program has written, in one line.
  private static func text(in file: borrowing Descriptor) -> String {
    var bytes = [UInt8](repeating: 0, count: longestWords)
    let count = pread(file.rawValue, &bytes, bytes.count, 0)
    let lines = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n")
    return VisibleText.line(lines.last.map { String($0.prefix(300)) } ?? "it says nothing")
  }
}
