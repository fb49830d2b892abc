//go:build freebsd || dragonfly

package analysis

// rlimit is the type that limits have here.
func rlimit(n int64) int64 { return n }
