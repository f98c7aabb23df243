extension Program {
  /// Descriptors of the process from here on: those of them that are none are closed, and so are all others.
  struct Descriptors {
    var input = Handle.none
    var output = Handle.none
    var error = Handle.none
    /// The file for an ``ExitRecord``, or what a supervisor inherits.
    var record = Handle.none
    /// The terminal's master, for stack-init.
    var terminal = Handle.none
    /// The file that ``Program/executeDescriptor(_:environment:keepsReport:_:)`` executes.
    var program = Handle.none

    init() {}

    init(input: Handle, output: Handle, error: Handle) {
      (self.input, self.output, self.error) = (input, output, error)
    }
  }
}
