import Glibc

/// A file of the web, fetched as it is.
package struct Download: Codable, Sendable {
  /// Seconds since 1970, by the server's Last-Modified. Nil where it says nothing.
  package var modified: Int64?
  package var size: Int64

  private static let redirections = [301, 302, 303, 307, 308]
  private static let mostRedirections = 10
  /// More than any file that somebody adds to an image.
  private static let largest: Int64 = 64 << 30
  /// Bytes of an answer that is not the file. A server may send them without end.
  private static let largestNotice: Int64 = 1 << 20

  /// Fetches an address of http or https, along its redirections: from https to https alone.
  ///
  /// - Parameters:
  ///   - reachesHost: false refuses addresses of this host's loopback and link-local ones. Behind a proxy, the proxy decides.
  ///   - take: gets the file piece by piece, and answers whether to go on.
  /// - Throws: what the server or the way to it refused.
  package static func fetch(
    _ address: String, reachesHost: Bool, isStopped: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
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
      request.reachesHost = reachesHost
      let count = ByteCount()
      let answer: Transfer.Answer
      do throws(RegistryError) {
        answer = try perform(request, over: transfer, isStopped) { answer, bytes in
          let isFile = answer.status == 200
          return count.add(bytes.count, upTo: isFile ? largest : largestNotice) && (!isFile || take(bytes))
        }
      } catch {
        guard count.isBeyond else { throw error }
        throw RegistryError(.bad, "\(place) sends more bytes than are taken")
      }
      if answer.status == 200 {
        return Download(modified: answer.first("last-modified").flatMap(seconds), size: count.size)
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
      case .keptOff:
        throw RegistryError(
          .denied, "\(request.url) is an address of this host's alone",
          remedy: "name another server, or give the build the host's network: --network host")
      case .stopped: throw .stopped
      }
    }
  }

  /// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`
  private static func seconds(_ text: String) -> Int64? {
    let words = text.split { " ,:".contains($0) }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count == 8, words[7] == "GMT", let month = months.firstIndex(of: String(words[2])) else { return nil }
    let numbers = [1, 3, 4, 5, 6].compactMap { Int32(words[$0]) }
    guard numbers.count == 5, (0...9999).contains(numbers[1]) else { return nil }
    var parts = tm()
    (parts.tm_mday, parts.tm_mon, parts.tm_year) = (numbers[0], Int32(month), numbers[1] - 1900)
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[2], numbers[3], numbers[4])
    return Int64(timegm(&parts))
  }
}

/// The bytes of a body that have come.
private final class ByteCount {
  private(set) var size: Int64 = 0
  private(set) var isBeyond = false

  func add(_ count: Int, upTo limit: Int64) -> Bool {
    size += Int64(count)
    isBeyond = size > limit
    return !isBeyond
  }
}
