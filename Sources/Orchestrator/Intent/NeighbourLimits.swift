/// The limits of the kernel's neighbour table, which all network namespaces share (gc_thresh1 to gc_thresh3 in arp(7)).
package enum NeighbourLimits {
  /// The kernel's default for gc_thresh3.
  package static let usual = 1024

  /// The settings below /proc/sys that so many entries of one family need. Empty where the usual ones do.
  ///
  /// Beside a stack's own entries there are those of the host and of other stacks. So there is room for as many again.
  package static func settings(for count: Int) -> [(path: String, value: Int)] {
    guard count > usual / 2 else { return [] }
    return ["ipv4", "ipv6"].flatMap { family in
      [(1, count), (2, 2 * count), (3, 2 * count + usual)].map { number, value in
        (path: "net/\(family)/neigh/default/gc_thresh\(number)", value: value)
      }
    }
  }
}
