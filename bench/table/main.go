// Table reads what go test -bench prints and writes the benchmarks that have a state, before and after, as a Markdown table. Of
// several runs of one benchmark it takes the least: what other work on the machine adds is never negative.
//
//	go test -run '^$' -bench 'Cases|Keys|Payload|Chain|Parameter' -cpu 1 -count 3 -benchtime 50ms ./bench | go run ./bench/table
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	layers := flag.String("layers", "1,2,3,4,5", "the numbers of layers to show")
	changed := flag.Bool("changed", false, "leave out what has no after")
	flag.Parse()
	rows, err := read(os.Stdin)
	if err == nil {
		err = write(os.Stdout, rows, strings.Split(*layers, ","), *changed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// units are the columns.
var units = []string{"ns/op", "B/op", "allocs/op"}

// A row is one benchmark with one number of layers.
type row struct {
	name, layers string
	// runs are the results by state and unit.
	runs map[string]map[string][]float64
}

var line = regexp.MustCompile(`^Benchmark(\S+)/layers=(\d+)/state=(before|after)(?:-\d+)?\s+\d+\s+(.*)$`)

// read returns the rows in the order of the input.
func read(in io.Reader) ([]*row, error) {
	var rows []*row
	known := map[[2]string]*row{}
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		m := line.FindStringSubmatch(sc.Text())
		if m == nil {
			continue
		}
		id := [2]string{m[1], m[2]}
		r := known[id]
		if r == nil {
			r = &row{m[1], m[2], map[string]map[string][]float64{"before": {}, "after": {}}}
			known[id], rows = r, append(rows, r)
		}
		fields := strings.Fields(m[4])
		for i := 0; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sc.Text(), err)
			}
			r.runs[m[3]][fields[i+1]] = append(r.runs[m[3]][fields[i+1]], v)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no benchmark with layers and a state in the input")
	}
	return rows, nil
}

func write(out io.Writer, rows []*row, layers []string, changed bool) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "| | layers | ns/op | | B/op | | allocs/op | |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		if !slices.Contains(layers, r.layers) || changed && len(r.runs["after"]) == 0 {
			continue
		}
		_, name, _ := strings.Cut(r.name, "/")
		fmt.Fprintf(w, "| %s | %s |", name, r.layers)
		for _, unit := range units {
			before, after := least(r.runs["before"][unit]), least(r.runs["after"][unit])
			fmt.Fprintf(w, " %s | %s |", number(before), number(after))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// least returns the least of the values, -1 for none.
func least(list []float64) float64 {
	if len(list) == 0 {
		return -1
	}
	return slices.Min(list)
}

// number prints three digits of small numbers, and all of large ones.
func number(v float64) string {
	switch {
	case v < 0:
		return ""
	case v < 100 && v != float64(int(v)):
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
