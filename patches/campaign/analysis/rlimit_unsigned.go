//go:build unix && !freebsd && !dragonfly

package analysis

// rlimit is the type that limits have here.
func rlimit(n int64) uint64 { return uint64(n) }
