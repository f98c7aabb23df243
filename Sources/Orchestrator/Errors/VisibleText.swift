public import Kernel

/// For whoever prints what commands answer.
public typealias VisibleText = Kernel.VisibleText
