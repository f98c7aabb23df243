import Glibc
import Kernel
import SystemPackage

/// A file of the web, fetched as it is.
package struct Download: Sendable {
  /// Seconds since 1970, by the server's Last-Modified. Nil where it says nothing.
  package var modified: Int64?
  package var size: Int64

  private static let redirections = [301, 302, 303, 307, 308]
  private static let mostRedirections = 10
  /// More than any file that somebody adds to an image.
  private static let largest: Int64 = 64 << 30

  /// Fetches an address of http or https into a file, along its redirections: from https to https alone.
  ///
  /// - Throws: what the server or the way to it refused.
  package static func fetch(
    _ address: String, to file: FileDescriptor, isStopped: @escaping () -> Bool
  ) throws(RegistryError) -> Download {
    let transfer: Transfer
    do {
      transfer = try Transfer()
    } catch {
      throw RegistryError(.bad, "\(error)")
    }
    var place = address
    for _ in 0...mostRedirections {
      var request = Transfer.Request(url: place)
      request.headers = ["Accept-Encoding: identity", "User-Agent: stack"]
      let target = DownloadTarget(file, limit: largest)
      let answer = try perform(request, over: transfer, isStopped) { answer, bytes in
        answer.status == 200 ? target.take(bytes) : true
      }
      if let failure = target.failure { throw RegistryError(.bad, "cannot keep \(address): \(failure)") }
      if answer.status == 200 {
        return Download(modified: answer.first("last-modified").flatMap(seconds), size: target.size)
      }
      guard redirections.contains(answer.status), let location = answer.first("location") else {
        throw RegistryError(
          .missing, "\(place) answers with status \(answer.status)", remedy: "see that the address is right")
      }
      guard let next = WebOrigin.resolve(location, from: place), let origin = WebOrigin(next),
        origin.scheme == "https" || WebOrigin(place)?.scheme == "http"
      else { throw RegistryError(.bad, "\(place) leads to a place that is not asked: \(location.prefix(300))") }
      place = next
    }
    throw RegistryError(.bad, "\(address) leads from one place to another more than \(mostRedirections) times")
  }

  private static func perform(
    _ request: Transfer.Request, over transfer: Transfer, _ isStopped: @escaping () -> Bool,
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> Transfer.Answer {
    do throws(Transfer.Failure) {
      return try transfer.perform(request, isStopped: isStopped, body: body)
    } catch {
      switch error {
      case .unreachable(let words):
        throw RegistryError(
          .unreachable, "cannot reach \(request.url): \(words)",
          remedy: "see that the name is right and the network is up")
      case .untrusted(let words): throw RegistryError(.untrusted, "cannot trust \(request.url): \(words)")
      case .badAddress(let words): throw RegistryError(.bad, "\(request.url) is no address: \(words)")
      case .brokenOff(let words):
        throw RegistryError(.broken, "the connection for \(request.url) broke off: \(words)", remedy: "try again")
      case .stopped: throw .stopped
      }
    }
  }

  /// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`
  private static func seconds(_ text: String) -> Int64? {
    let words = text.split(whereSeparator: { " ,:".contains($0) })
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count == 8, words[7] == "GMT", let month = months.firstIndex(of: String(words[2])) else { return nil }
    let numbers = [1, 3, 4, 5, 6].compactMap { CInt(words[$0]) }
    guard numbers.count == 5 else { return nil }
    var parts = tm()
    (parts.tm_mday, parts.tm_mon, parts.tm_year) = (numbers[0], CInt(month), numbers[1] - 1900)
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[2], numbers[3], numbers[4])
    return Int64(timegm(&parts))
  }
}

/// A file that a body goes to.
private final class DownloadTarget {
  private let file: FileDescriptor
  private let limit: Int64
  private(set) var size: Int64 = 0
  private(set) var failure: Errno?

  init(_ file: FileDescriptor, limit: Int64) { (self.file, self.limit) = (file, limit) }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard size + Int64(bytes.count) <= limit else {
      failure = .fileTooLarge
      return false
    }
    do throws(Errno) {
      try file.writeInFull(bytes)
      size += Int64(bytes.count)
      return true
    } catch {
      failure = error
      return false
    }
  }
}
