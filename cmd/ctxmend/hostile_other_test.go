//go:build !unix

package main

import (
	"errors"
	"os"
)

func peakMemory(*os.ProcessState) int64 { return 0 }

func mkfifo(string) error { return errors.ErrUnsupported }
