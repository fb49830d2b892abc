//go:build unix

package analysis

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// group gives a command a process group of its own, which ends as a whole.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// endGroup ends this process and all others of its group, if it leads one.
func endGroup() {
	if syscall.Getpgrp() == syscall.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
}

// maxMemory is the most that a process, or one that it has waited for, has had in memory at a time.
func maxMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// limitMemory bounds the private memory of this process, and of each that it starts. Address space is no measure: Go reserves
// more than it uses.
func limitMemory(bytes int64) error {
	if bytes <= 0 {
		return nil
	}
	limit := syscall.Rlimit{Cur: rlimit(bytes), Max: rlimit(bytes)}
	return os.NewSyscallError("setrlimit", syscall.Setrlimit(syscall.RLIMIT_DATA, &limit))
}
