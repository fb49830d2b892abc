// Plot reads what BenchmarkScale prints and draws processor time and live memory of each stage against the number of packages of the
// module, as SVG. A line through the first point and the origin would be exactly linear: it is drawn for the sum of all stages.
//
//	go test -run '^$' -bench Scale -benchtime 1x -timeout 30m ./bench | go run ./bench/plot > bench/scale.svg
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	points, err := read(os.Stdin)
	if err == nil {
		err = draw(os.Stdout, points)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

// stages are in the order in which they run.
var stages = []string{"load", "census", "rules", "plan", "apply", "verify"}

// A point is what one module costs.
type point struct {
	packages int
	metrics  map[string]float64 // by unit
}

var result = regexp.MustCompile(`^BenchmarkScale/packages=(\d+)\S*\s+\d+\s+(.*)$`)

func read(in io.Reader) ([]point, error) {
	var points []point
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		m := result.FindStringSubmatch(sc.Text())
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		p := point{n, map[string]float64{}}
		fields := strings.Fields(m[2])
		for i := 0; i+1 < len(fields); i += 2 {
			if p.metrics[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
				return nil, err
			}
		}
		points = append(points, p)
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if len(points) < 2 {
		return nil, fmt.Errorf("fewer than two sizes of BenchmarkScale in the input")
	}
	slices.SortFunc(points, func(a, b point) int { return a.packages - b.packages })
	return points, nil
}

// A panel is one of the two diagrams.
type panel struct {
	title, unit string
	// left is where it begins.
	left float64
	// series are the lines, with their names.
	names  []string
	series [][]float64
	// ideal is set when a straight line through the first point of the last series is drawn as well.
	ideal bool
}

const (
	width, height = 900.0, 380.0
	panelWidth    = 330.0
	top, bottom   = 50.0, 330.0
)

// colours tell lines apart, also for those who do not see red from green; the last is for the sum.
var colours = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#333333"}

func draw(out io.Writer, points []point) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(w, `<rect width="%g" height="%g" fill="white"/>`+"\n", width, height)
	times := panel{title: "processor time, s", unit: "-cpu-s", left: 50, ideal: true}
	memory := panel{title: "live memory after the stage, MB", unit: "-live-MB", left: 460}
	for _, stage := range stages {
		times.add(stage, points)
		memory.add(stage, points)
	}
	times.sum()
	times.draw(w, points)
	memory.draw(w, points)
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

func (p *panel) add(stage string, points []point) {
	var list []float64
	for _, pt := range points {
		list = append(list, pt.metrics[stage+p.unit])
	}
	p.names, p.series = append(p.names, stage), append(p.series, list)
}

func (p *panel) sum() {
	list := make([]float64, len(p.series[0]))
	for _, s := range p.series {
		for i, v := range s {
			list[i] += v
		}
	}
	p.names, p.series = append(p.names, "all"), append(p.series, list)
}

func (p *panel) draw(w io.Writer, points []point) {
	maxX, maxY := float64(points[len(points)-1].packages), 0.0
	for _, s := range p.series {
		maxY = max(maxY, slices.Max(s))
	}
	maxY = round(maxY)
	x := func(packages int) float64 { return p.left + float64(packages)/maxX*panelWidth }
	y := func(v float64) float64 { return bottom - v/maxY*(bottom-top) }
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" font-weight="bold">%s</text>`+"\n", p.left, top-20, p.title)
	for i := range 5 {
		v := maxY * float64(i) / 4
		fmt.Fprintf(w, `<path d="M%.1f %.1fh%.1f" stroke="#dddddd"/><text x="%.1f" y="%.1f" text-anchor="end">%g</text>`+"\n", p.left, y(v), panelWidth, p.left-6, y(v)+4, v)
	}
	for _, pt := range points {
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x(pt.packages), bottom+18, tick(pt.packages, points))
	}
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="middle">packages of the module</text>`+"\n", p.left+panelWidth/2, bottom+38)
	if all := p.series[len(p.series)-1]; p.ideal {
		slope := all[0] / float64(points[0].packages)
		fmt.Fprintf(w, `<path d="M%.1f %.1fL%.1f %.1f" stroke="#999999" stroke-dasharray="4 4"/>`+"\n", x(0), y(0), x(int(maxX)), y(min(maxY, slope*maxX)))
	}
	for i, s := range p.series {
		var path strings.Builder
		for j, v := range s {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], x(points[j].packages), y(v))
		}
		colour := colours[i%len(colours)]
		fmt.Fprintf(w, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colour)
		fmt.Fprintf(w, `<path d="M%.1f %.1fh16" stroke="%s" stroke-width="3"/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			p.left+10, top+8+float64(i)*16, colour, p.left+32, top+12+float64(i)*16, p.names[i])
	}
}

// tick leaves out numbers that would lie upon one another.
func tick(packages int, points []point) string {
	if packages*10 < points[len(points)-1].packages {
		return ""
	}
	return strconv.Itoa(packages)
}

// round returns the next number that four steps divide well.
func round(v float64) float64 {
	step := 1.0
	for step*40 < v {
		step *= 10
	}
	for _, n := range []float64{1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 36, 40} {
		if n*step >= v {
			return n * step
		}
	}
	return 40 * step
}
