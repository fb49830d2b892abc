// Package sharedkey reports context keys of a type that has no name of its own, such as struct{}{}: every
// package that writes the same expression uses the same key. Pointers to values without size are no better:
// they may all be equal.
//
// # Why it is wrong
//
// A context compares keys with ==. Two values of an unnamed struct type are equal wherever they are written, and
// the addresses of two variables of size zero may or may not be: the language leaves it open.
//
// # Example
//
//	ctx = context.WithValue(ctx, struct{}{}, u)
//
// Use instead
//
//	type userKey struct{}
//
//	ctx = context.WithValue(ctx, userKey{}, u)
//
// # Fix safety
//
// The finding is to be mended by hand: whether several places mean one key or several is not written in the program.
package sharedkey
