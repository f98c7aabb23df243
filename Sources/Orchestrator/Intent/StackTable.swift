/// The nftables table that a stack owns.
package enum StackTable {
  /// `stack-web`, in family inet.
  package static func name(of stack: String) -> String { "stack-\(stack)" }
}
