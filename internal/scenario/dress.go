package scenario

import (
	"bytes"
	"fmt"
	"slices"
)

// Dress gives files the form that an archive cannot hold: carriage returns, a
// byte order mark, no final line end. Put dresses a tree, Off takes the form away again.
type Dress struct {
	// CRLF, BOM and NoFinalNewline are names of files; they hold for the input
	// and for what is wanted alike.
	CRLF, BOM, NoFinalNewline []string
}

var bom = []byte("\xef\xbb\xbf")

// Put returns the tree with every file in its form.
func (d *Dress) Put(t Tree) Tree {
	return d.each(t, func(name string, data []byte) []byte {
		if slices.Contains(d.NoFinalNewline, name) {
			data = bytes.TrimSuffix(data, []byte("\n"))
		}
		if slices.Contains(d.CRLF, name) {
			data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		}
		if slices.Contains(d.BOM, name) {
			data = append(bytes.Clone(bom), data...)
		}
		return data
	})
}

// Off returns the tree as an archive can hold it. It fails when a file has lost
// part of its form.
func (d *Dress) Off(t Tree) (Tree, error) {
	out := d.each(t, func(name string, data []byte) []byte {
		if slices.Contains(d.BOM, name) {
			data = bytes.TrimPrefix(data, bom)
		}
		if slices.Contains(d.CRLF, name) {
			data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		}
		if slices.Contains(d.NoFinalNewline, name) {
			data = append(bytes.Clone(data), '\n')
		}
		return data
	})
	for name, data := range d.Put(out) {
		if !bytes.Equal(data, t[name]) {
			return nil, fmt.Errorf("%s has mixed line ends, or lost its byte order mark or final line", name)
		}
	}
	return out, nil
}

func (d *Dress) each(t Tree, change func(string, []byte) []byte) Tree {
	out := Tree{}
	for name, data := range t {
		out[name] = change(name, data)
	}
	return out
}
