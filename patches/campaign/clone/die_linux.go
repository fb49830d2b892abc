package clone

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent has a command end when this process is killed.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// runLocked runs a command on a thread that stays until the command has ended: what it dies with is the thread that has started it.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
