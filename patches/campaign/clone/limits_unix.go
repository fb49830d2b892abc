//go:build unix

package clone

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
)

// limited is a command that may write no larger file, and use no more memory, than it is allowed to. It and all that it starts end
// together. The shell sets the limits: Go has no way to do so between fork and exec.
func limited(ctx context.Context, program string, args []string, file int64) *exec.Cmd {
	script := fmt.Sprintf(`ulimit -f %d; ulimit -v %d 2>/dev/null; ulimit -c 0; exec "$@"`, file/512+1, int64(gitMemory)/1024)
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}
