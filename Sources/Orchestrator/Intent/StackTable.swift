/// The nftables table that a stack owns.
package enum StackTable {
  /// `stack-web`, in family inet.
  package static func name(of stack: String) -> String { "stack-\(stack)" }

  /// The owner's mark that every table of a stack carries as its comment.
  package static func comment(of stack: String) -> String { "stack:\(stack)" }
}
