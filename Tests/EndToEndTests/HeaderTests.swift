import Foundation
import Testing

/// Packets whose headers hide what rules ask for: fragments, options and extension headers. Each is refused, and most of them arrive
/// once the rules are taken away by hand.
@Suite struct HeaderTests {
  private static let stack = """
    name: x
    \(ThrowawayHost.recorder)
    services:
      evil: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
    \(ThrowawayHost.recorders)
    networks:
      front: {default: deny, enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}
      back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}
    policies:
      - allow: host -> db
      - allow: host -> far
      - allow: evil -> db:80,81/udp
      - allow: evil -> far:80,81/udp

    """

  /// Fragments of eight octets, in any order and over each other; options of IPv4; and headers of IPv6 before that of UDP.
  private static let program = """
    def whole(source, to, text, port=5353): return datagram(source, to, text.ljust(40, "."), port)
    def four(source, to, body, options=b"", ident=7, at=0):
        words = 5 + len(options) // 4
        head = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 + len(body), ident, at, 64, 17, 0)
        head += address(source) + address(to) + options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
    def six(source, to, kind, body):
        return struct.pack("!IHBB", 6 << 28, len(body), kind, 64) + address(source) + address(to) + body
    def pieces(source, to, body, cuts, ident, order=None):
        places = [0] + cuts + [len(body)]
        parts = [four(source, to, body[a:b], ident=ident, at=a // 8 | (0x2000 if b < len(body) else 0))
                 for a, b in zip(places, places[1:])]
        for index in order or range(len(parts)): send(parts[index])
    def pieces6(source, to, kind, body, cut, ident):
        send(six(source, to, 44, struct.pack("!BBHI", kind, 0, 1, ident) + body[:cut]))
        send(six(source, to, 44, struct.pack("!BBHI", kind, 0, cut, ident) + body[cut:]))
    for to, far in ((hardware("DB"), "4"), (hardware("GATEWAY"), "far")):
        def send(octets): link.send(frame(to, me, octets))
        own, target = "10.99.0.2", "10.99.0.4" if far == "4" else "10.98.0.4"
        def body(text, port=5353): return whole(own, target, "WORD-" + text, port)[20:]
        send(four(own, target, body("plain")))
        for name, options in (("loose", b"\\x83\\x07\\x04" + address(target) + b"\\0"), ("strict", b"\\x89\\x07\\x04" + address(target) + b"\\0"),
                              ("alert", b"\\x94\\4\\0\\0"), ("nothing", b"\\1\\1\\1\\0"), ("record", b"\\7\\7\\4" + bytes(5))):
            send(four(own, target, body(name), options))
        pieces(own, target, body("tiny"), [8], 11)
        pieces(own, target, body("two"), [16, 40], 12)
        pieces(own, target, body("reversed"), [8, 40], 13, [2, 1, 0])
        allowed, denied = body("over", 80), body("over")
        for ident, (first, second) in ((14, (allowed, denied)), (15, (denied, allowed))):
            send(four(own, target, first[:16], ident=ident, at=0x2000))
            send(four(own, target, second[:24], ident=ident, at=0x2000))
            send(four(own, target, second[16:], ident=ident, at=2))
        own, target = "fd00:99::2", "fd00:99::4" if far == "4" else "fd00:98::4"
        def body6(text, port=5353): return whole(own, target, "WORD-" + text, port)[40:]
        pad = lambda kind: bytes([kind, 0, 1, 4, 0, 0, 0, 0])
        send(six(own, target, 17, body6("plain6")))
        send(six(own, target, 0, pad(17) + body6("hop")))
        send(six(own, target, 60, pad(17) + body6("destination")))
        send(six(own, target, 60, pad(60) * 20 + pad(17) + body6("many")))
        for kind in (0, 2, 3, 4):
            send(six(own, target, 43, bytes([17, 2, kind, 0, 0, 0, 0, 0]) + address(target) + body6("routing%d" % kind)))
        send(six(own, target, 44, struct.pack("!BBHI", 17, 0, 0, 21) + body6("atomic")))
        pieces6(own, target, 17, body6("tiny6"), 8, 22)
        pieces6(own, target, 60, pad(17) + body6("behind6"), 8, 23)
    """

  @Test func noHeaderHidesThePort() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack, named: "x")
      let program = Self.program.replacingOccurrences(of: "DB", with: try host.hardwareAddress(of: "db"))
        .replacingOccurrences(of: "GATEWAY", with: try host.succeed("cat", "/sys/class/net/x-front/address"))
      func attack(_ word: String) throws -> [String] {
        try host.forge(from: "evil", program.replacingOccurrences(of: "WORD", with: word))
        return [try host.book(of: "db", at: "10.99.0.4"), try host.book(of: "far", at: "10.98.0.4")]
      }
      for book in try attack("refused") { #expect(!book.contains("refused"), "\(book)") }
      try host.killSupervisors()
      try host.succeed(
        "sh", "-c",
        """
        nft insert rule bridge stack-x/ports passing accept
        nft insert rule inet stack-x forward accept
        """)
      for (book, ways) in zip(
        try attack("open"),
        [
          [
            "plain", "alert", "nothing", "tiny", "two", "reversed", "plain6", "hop", "destination", "atomic", "tiny6",
          ],
          ["plain", "nothing", "tiny", "two", "reversed", "plain6", "destination", "atomic", "tiny6"],
        ])
      {
        for way in ways { #expect(book.contains("open-\(way)."), "\(way): \(book)") }
      }
    }
  }
}
