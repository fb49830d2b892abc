package clone

import (
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// checkName refuses names that mean something else than a file below the clone, to git or to any file system: git
// itself refuses them, but only when it checks out.
func checkName(name string) error {
	if name == "" || len(name) > 4096 {
		return fmt.Errorf("%w: a file has a name of %d bytes", campaign.ErrHostile, len(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || strings.Contains(part, "\x00") || isGitName(part) ||
			runtime.GOOS == "windows" && strings.ContainsAny(part, `\:`) {
			return fmt.Errorf("%w: a file is named %q", campaign.ErrHostile, clean(name, nil))
		}
	}
	return nil
}

// isGitName reports whether some file system takes a name for ".git": by case, by characters that HFS+ does not see, or by what NTFS makes of
// ends and of short names.
func isGitName(part string) bool {
	seen := strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff, r == utf8.RuneError:
			return -1
		}
		return r
	}, part)
	seen, _, _ = strings.Cut(seen, ":") // a stream of NTFS
	if i := strings.IndexByte(seen, '\\'); i >= 0 {
		return isGitName(seen[:i]) || isGitName(seen[i+1:])
	}
	seen = strings.TrimRight(seen, ". ")
	return strings.EqualFold(seen, ".git") || strings.EqualFold(seen, "git~1")
}
