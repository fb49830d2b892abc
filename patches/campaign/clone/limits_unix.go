//go:build unix

package clone

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// limited is a command that may write no larger file, and use no more memory, than it is allowed to. It and all that it starts end
// together, also when this process is killed: the next one to work in the clone must be alone there. The shell sees to that: Go has no way to
// set limits between fork and exec. For what git starts itself, in an exchange, it keeps a process that ends the group when the other end of a pipe, which is
// here, is closed. The function that it returns is to be called when the command has ended.
func limited(ctx context.Context, program string, args []string, file int64, exchange bool) (*exec.Cmd, func(), error) {
	script := fmt.Sprintf(`ulimit -f %d; ulimit -v %d 2>/dev/null; ulimit -c 0; `, file/512+1, int64(gitMemory)/1024)
	if exchange {
		script += `(read -r none; kill -9 0) <&3 >/dev/null 2>&1 & w=$!; "$@" 3<&-; s=$?; kill -9 $w; wait $w 2>/dev/null; exit $s`
	} else {
		script += `exec "$@"`
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if !exchange {
		return cmd, func() {}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = []*os.File{r}
	return cmd, func() { r.Close(); w.Close() }, nil
}
