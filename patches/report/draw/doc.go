// Package draw draws boxes with rows, and lines between them, as SVG. It knows nothing of Go programs.
//
// # Layout
//
// Boxes stand in columns, so that most lines lead from left to right: the usual steps of a layered drawing. Lines that close a
// circle are turned while columns are found; a line that passes a column gets a place of its own there, so that it
// crosses no box; within a column boxes are ordered by the mean of their neighbours, and then moved towards it as far as the
// others allow. Every step breaks ties by the order in which boxes and lines were given: equal pictures are equal bytes.
//
// # Text
//
// All text is set in letters of one width, so that it can be measured without a font: a cell is a little wider than in the fonts
// that are asked for. What does not fit is cut in the middle and shown whole as a tooltip.
//
// # What reads it
//
// A picture has a title and a description, its own background, light or dark as the reader prefers, and no script. Kinds differ in
// shape and dash as well as in colour.
package draw
