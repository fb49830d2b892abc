package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// limited is a command in which no process has more memory and no file is larger than what is allowed to all together. The shell sets these limits:
// Go has no way to do so between fork and exec.
func limited(ctx context.Context, args []string, c campaign.SandboxCommand) *exec.Cmd {
	script := fmt.Sprintf(`ulimit -c 0; ulimit -f %d; ulimit -d %d; exec "$@"`, c.Disk/512+1, c.Memory/1024+1)
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	// bwrap dies with us, and everything in its namespaces with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// runLocked runs a command on a thread that stays until the command has ended: what it dies with is the thread that has started it.
func runLocked(cmd *exec.Cmd, started func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	started()
	return cmd.Wait()
}

// below counts a process and its descendants, and adds up the memory that is theirs alone.
func below(pid int) (count int, memory int64) {
	children := map[int][]int{}
	own := map[int]int64{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, 0
	}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile(filepath.Join("/proc", e.Name(), "status"))
		if err != nil {
			continue
		}
		parent := 0
		for line := range bytes.Lines(status) {
			name, value, _ := strings.Cut(string(line), ":")
			field := strings.Fields(value)
			if len(field) == 0 {
				continue
			}
			n, _ := strconv.ParseInt(field[0], 10, 64)
			switch name {
			case "PPid":
				parent = int(n)
			case "RssAnon", "RssShmem":
				own[id] += n << 10
			}
		}
		children[parent] = append(children[parent], id)
	}
	for list := []int{pid}; len(list) > 0; {
		id := list[0]
		list = append(list[1:], children[id]...)
		count++
		memory += own[id]
	}
	return count, memory
}
