//go:build !unix

package main

import "os"

// peakMemory returns 0: only Unix systems tell.
func peakMemory(*os.ProcessState) int64 { return 0 }
