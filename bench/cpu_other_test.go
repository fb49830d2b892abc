//go:build !unix

package bench

import "time"

// cpuTime returns 0: only Unix systems tell.
func cpuTime() time.Duration { return 0 }
