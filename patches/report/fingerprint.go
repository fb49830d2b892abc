package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// fingerprint gives each finding a name that stays when lines above it come and go, whatever directory is worked in: which
// rule, in which file of which package, about which key and line of source. Equal ones are told apart by their order.
func (r *Report) fingerprint() {
	seen := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, cmp.Or(f.Where, f.File), f.Key, strings.Join(strings.Fields(f.Source), " ")}, "\x00")))
		name := hex.EncodeToString(sum[:8])
		seen[name]++
		f.Fingerprint = fmt.Sprintf("%s:%d", name, seen[name])
	}
}

// lineHashes computes what GitHub calls primaryLocationLineHash, for each line of a file from its first on: a
// rolling hash of the hundred characters from the line's begin, blanks left out, and how often it has occurred. The method
// is that of github/codeql-action, src/fingerprints.ts, which does so for results that come without.
func lineHashes(units []uint16) []string {
	const block, mod = 100, uint64(37)
	first := uint64(1)
	for range block {
		first *= mod
	}
	var (
		window [block]uint64
		begun  [block]int // the line that begins at a place of the window, 0 for none
		hash   uint64
		at     int
		hashes []string
		counts = map[string]int{}
	)
	finish := func() {
		if line := begun[at]; line > 0 {
			text := strconv.FormatUint(hash, 16)
			counts[text]++
			hashes = append(hashes, text+":"+strconv.Itoa(counts[text]))
			begun[at] = 0
		}
	}
	push := func(c uint64) {
		hash = mod*hash + c - first*window[at]
		window[at] = c
		at = (at + 1) % block
	}
	lines, starts, afterCR := 0, true, false
	add := func(c uint16) {
		if c == ' ' || c == '\t' || afterCR && c == '\n' {
			afterCR = false
			return
		}
		if afterCR = c == '\r'; afterCR {
			c = '\n'
		}
		finish()
		if starts {
			lines++
			begun[at], starts = lines, false
		}
		starts = c == '\n'
		push(uint64(c))
	}
	for _, c := range units {
		add(c)
	}
	add(0xffff) // as the end of the file is marked there
	for range block {
		finish()
		push(0)
	}
	return hashes
}
