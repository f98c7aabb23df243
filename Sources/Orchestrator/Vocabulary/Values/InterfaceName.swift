/// The kernel's rule for names of network interfaces.
package enum InterfaceName {
  /// Bytes: IFNAMSIZ in linux/if.h, less the final NUL.
  package static let limit = 15
}
