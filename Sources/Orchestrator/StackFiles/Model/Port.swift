import Addresses

extension StackFile {
  package enum TransportProtocol: String, Sendable, CaseIterable { case tcp, udp, sctp }

  /// One entry of `ports:`: a port, or a range of them, made reachable through the host.
  package struct PublishedPort: Sendable, Equatable {
    package enum HostPorts: Sendable, Hashable {
      /// A free port of the host's choice for each container port.
      case free
      /// One free port out of these. Goes with a single container port.
      case oneOf(ClosedRange<UInt16>)
      /// Exactly these: as many as there are container ports.
      case fixed(ClosedRange<UInt16>)
    }

    /// Nil: every address of the host, of both families.
    package var address: IPAddress?
    package var host: HostPorts
    package var container: ClosedRange<UInt16>
    package var transport: TransportProtocol = .tcp
    /// The sources that may reach it. nil for all. Never empty.
    package var sources: [Located<IPPrefix>]?
    /// The entry in the file.
    package var span: Span

    /// Each container port with the host port it is to have; nil where any free one will do (see `host` for the choice).
    package var pairs: [(host: UInt16?, container: UInt16)] {
      container.map { port in
        guard case .fixed(let range) = host else { return (nil, port) }
        return (range.lowerBound + (port - container.lowerBound), port)
      }
    }

    package static func == (left: Self, right: Self) -> Bool {
      left.address == right.address && left.host == right.host && left.container == right.container
        && left.transport == right.transport && left.sources?.map(\.value) == right.sources?.map(\.value)
    }
  }

  /// One entry of `expose:`.
  package struct ExposedPort: Sendable, Hashable {
    package var ports: ClosedRange<UInt16>
    package var transport: TransportProtocol = .tcp
  }
}
