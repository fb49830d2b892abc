//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// peakMemory returns 0: only Unix systems tell.
func peakMemory(*os.ProcessState) int64 { return 0 }

// withChildren does nothing: only Unix systems have process groups.
func withChildren(*exec.Cmd) {}
