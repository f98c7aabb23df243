import Isolation
import Vocabulary

/// The capabilities of a service's processes, and the filter of their system calls.
package struct DesiredSecurity: Usual, Sendable {
  /// The most that they can have.
  package var capabilities = CapabilitySet.standard
  /// The capabilities that the file adds by name or as ALL. A user other than root gets these.
  package var added: CapabilitySet = []
  package var isPrivileged = false
  package var forbidsNewPrivileges = true
  /// True if their system calls are filtered.
  package var isFiltered = true
  /// The profile that says how, as JSON; nil for the default.
  package var seccompProfile: String?

  package init() {}
}
