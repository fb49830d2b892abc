package clone

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent has git end when this process is killed: the next one to work in the clone must be alone there.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// runLocked runs a command on a thread that stays until the command has ended: what it dies with is the thread that has started it.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
