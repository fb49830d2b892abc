//go:build unix && !linux

package clone

import (
	"os/exec"
	"syscall"
)

// dieWithParent does nothing: there is no way to ask for it here.
func dieWithParent(*syscall.SysProcAttr) {}

// runLocked runs a command.
func runLocked(cmd *exec.Cmd) error { return cmd.Run() }
