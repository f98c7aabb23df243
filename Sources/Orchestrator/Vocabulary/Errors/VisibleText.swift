import Kernel

/// For whoever prints what commands answer.
package typealias VisibleText = Kernel.VisibleText
