//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// peakMemory returns the largest resident set, in bytes, of a finished process and of
// each of its children that it waited for.
func peakMemory(ps *os.ProcessState) int64 {
	usage, ok := ps.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10 // everywhere else the unit is the kilobyte
}

// withChildren makes cancelling a command kill the processes that it has started, too: the compilers
// under a go command would go on writing to caches that are being removed.
func withChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
