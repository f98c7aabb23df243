import Kernel

/// Runs something that can fail in the kernel, and says which stack it was for.
package func rethrowing<Value: ~Copyable>(
  _ subject: String?, _ body: () throws(KernelError) -> Value
) throws(StackErrors) -> Value {
  do {
    return try body()
  } catch {
    throw StackErrors([StackError(subject, error)])
  }
}
