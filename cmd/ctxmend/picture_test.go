package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// picture runs a command on the demo, or on another directory, and returns what it prints.
func picture(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	var out, notes bytes.Buffer
	if code := run(append([]string{"-C", dir}, args...), offline(), nil, &out, &notes); code != 0 {
		t.Fatalf("ctxmend %q: exit code %d\n%s", args, code, notes.Bytes())
	}
	return out.Bytes()
}

// TestReadmePictures holds the pictures of the README to what the commands draw of the demo today.
func TestReadmePictures(t *testing.T) {
	for _, command := range []string{"keys", "graph"} {
		got := picture(t, filepath.Join(testdata, "demo"), command, "--format", "svg")
		name := filepath.Join(testdata, "picture", command+".svg")
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what ctxmend %s --format svg draws: look at it and run with -update", name, command)
		}
	}
}
