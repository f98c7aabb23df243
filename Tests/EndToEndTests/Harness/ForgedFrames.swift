import Foundation

/// Frames that no kernel would send, made by Python inside a service or outside, and what came of them.
extension ThrowawayHost {
  /// The common start of the programs below: it makes and sends frames of Ethernet, ARP, IPv4, IPv6 and UDP.
  private static let kit = """
    import fcntl, ipaddress, socket, struct, sys, time

    def hardware(text): return bytes.fromhex(text.replace(":", ""))

    def own_hardware(link="eth0"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            return fcntl.ioctl(control, 0x8927, struct.pack("256s", link.encode()))[18:24]

    def checksum(octets):
        octets += b"\\0" * (len(octets) % 2)
        total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
        while total > 0xFFFF: total = (total & 0xFFFF) + (total >> 16)
        return total ^ 0xFFFF

    def address(text): return ipaddress.ip_address(text).packed

    def transport(source, destination, number, head, body, at):
        packet = head + body
        cover = address(source) + address(destination) + struct.pack("!IHBB", len(packet), 0, 0, number)
        return packet[:at] + struct.pack("!H", checksum(cover + packet) or 0xFFFF) + packet[at + 2:]

    def packet(source, destination, number, body):
        if ":" in source:
            return struct.pack("!IHBB", 6 << 28, len(body), number, 255) + address(source) + address(destination) + body
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, number, 0) + address(source) + address(destination)
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body

    def datagram(source, destination, text, port=5353, sender=4000):
        head = struct.pack("!HHHH", sender, port, 8 + len(text), 0)
        return packet(source, destination, 17, transport(source, destination, 17, head, text.encode(), 6))

    def advertisement(source, destination, target, at):
        body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + address(target) + b"\\2\\1" + at
        return packet(source, destination, 58, transport(source, destination, 58, body, b"", 2))

    def arp(operation, at, who, to, whom):
        return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + at + address(who) + to + address(whom)

    def frame(to, at, body, kind=None, tags=()):
        kind = kind or (0x86DD if body[0] >> 4 == 6 else 0x0800)
        head = to + at + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags)
        return head + struct.pack("!H", kind) + body

    class Link:
        def __init__(self, name="eth0"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.bind((name, 0))
        def send(self, octets): self.socket.send(octets.ljust(60, b"\\0"))

    link, me = Link(NAME), own_hardware(NAME)

    """

  /// Runs a program of frames inside a service: `link` sends them, `me` is the interface's hardware address.
  func forge(from service: String, by interface: String = "eth0", _ program: String) throws {
    try succeed(
      "stack", "exec", "-T", service, "python3", "-", input: Data((Self.prelude(interface) + program).utf8))
  }

  /// The same on the machine outside.
  func forgeOutside(_ program: String) throws {
    try succeed("python3", "-", input: Data((Self.prelude("wan") + program).utf8), from: .outside)
  }

  private static func prelude(_ interface: String) -> String {
    kit.replacingOccurrences(of: "NAME", with: "\"\(interface)\"")
  }

  /// Head of a stack file, with what makes a service a recorder (`<<: *recorder`): it writes down what comes to UDP port 5353, in both
  /// families, as `FROM TEXT`.
  static let recorder = """
    x-recorder: &recorder
      command:
        - python3
        - -c
        - |
          import select, socket
          four, six = socket.socket(2, 2), socket.socket(10, 2)
          six.setsockopt(41, 26, 1)
          four.bind(("", 5353))
          six.bind(("::", 5353))
          book = open("/tmp/book", "a", 1)
          while True:
              for one in select.select([four, six], [], [])[0]:
                  text, sender = one.recvfrom(99)
                  print(sender[0], text.decode(), file=book)
      expose: ["5353/udp"]

    """

  /// Services of a stack file: two recorders, `db` on network `front` and `far` on `back`.
  static let recorders = """
      db:
        <<: *recorder
        networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
      far:
        <<: *recorder
        networks: {back: {ipv4_address: 10.98.0.4, ipv6_address: "fd00:98::4"}}
    """

  /// The datagrams that a recorder has noted.
  ///
  /// A last datagram from the host must have arrived first. All earlier ones have then arrived too.
  func book(of service: String, at address: String) throws -> String {
    let mark = "mark-\(UInt32.random(in: 0 ... .max))"
    let family = address.contains(":") ? "UDP6:[\(address)]:5353" : "UDP:\(address):5353"
    let came = try eventually {
      try succeed("sh", "-c", "printf \(mark) | socat -u - \(family)")
      return try run("stack", "exec", "-T", service, "cat", "/tmp/book").output.contains(mark)
    }
    guard came else { throw HarnessError("\(service) does not hear the host") }
    return try succeed("stack", "exec", "-T", service, "cat", "/tmp/book")
  }

  func hardwareAddress(of service: String, _ interface: String = "eth0") throws -> String {
    try succeed("stack", "exec", "-T", service, "cat", "/sys/class/net/\(interface)/address")
  }

  /// Takes a stack's guards away by hand, with whoever would put them back: what comes in is taken for what it says.
  func takeGuardsAway(of stack: String) throws {
    if try !stackProcesses().isEmpty { try killSupervisors() }
    try succeed(
      "sh", "-c",
      """
      set -e
      nft insert rule bridge stack-\(stack)/ports from_service meta mark set 0x02000000 accept
      nft insert rule inet stack-\(stack) guard_incoming accept
      for port in $(nft -j list set bridge stack-\(stack)/ports links | grep -o '"[a-z0-9-]*-[a-z0-9]\\{6\\}"' | tr -d '"'); do
        bridge link set dev $port locked off learning on
      done
      """)
  }
}
