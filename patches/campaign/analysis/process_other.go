//go:build !unix

package analysis

import (
	"os"
	"os/exec"
	"runtime/debug"
)

// group does nothing: what the child starts ends soon after it.
func group(*exec.Cmd) {}

// endGroup ends this process.
func endGroup() { os.Exit(1) }

// maxMemory is not known here.
func maxMemory(*os.ProcessState) int64 { return 0 }

// limitMemory makes the garbage collector keep to the bound; what is in use may exceed it.
func limitMemory(bytes int64) error {
	if bytes > 0 {
		debug.SetMemoryLimit(bytes)
	}
	return nil
}
