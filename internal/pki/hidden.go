package pki

// hidden holds a secret as a field of a struct. fmt calls no methods on what is
// in unexported fields of others, and with a verb that does not fit it prints
// even what a pointer points to (%!s(...)); of a function it prints the address.
type hidden[T any] func() T

func hide[T any](secret T) hidden[T] { return func() T { return secret } }
