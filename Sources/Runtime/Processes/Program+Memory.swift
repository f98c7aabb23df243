import CLinux

extension Program {
  /// The memory of the process between clone3 and exec.
  ///
  /// Whoever may trace a process that shares it, or open its memory under /proc, has the caller's for good. Copying the
  /// memory of a program of 10 MB, and throwing the copy away, takes a third of the time that a container takes.
  enum Memory {
    /// A copy. Right for every process; needed where others see the process before it has exec'd.
    case copied
    /// The caller's. Right for a process in a pid namespace of its own, of a caller that is not dumpable: processes of the
    /// container do not see the caller, and only those see the process that may trace everything.
    case sharedUnseen
    /// The caller's. Right for a process that stays as the caller is: in its namespaces, with its users and capabilities.
    /// Whoever may look into the process may look into the caller as well.
    case sharedAlike

    var rawValue: stack_memory {
      switch self {
      case .copied: STACK_MEMORY_COPIED
      case .sharedUnseen: STACK_MEMORY_SHARED_UNSEEN
      case .sharedAlike: STACK_MEMORY_SHARED_ALIKE
      }
    }
  }
}
